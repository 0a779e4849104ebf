package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.resilire.control.AgentState;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.FailoverTimes;
import org.resilire.testbed.load.LoadResult;

/** Only QEMU dies, its agent lives to tell. */
class GuestKillSystemTest {

    private static final Duration TAKEOVER_LIMIT = Duration.ofSeconds(60);

    /** Of {@code resilire protect} when its guest ended. */
    private static final int FAILED = 1;

    @Test
    void shouldHaveEpochWholeOrNotAtAllWhenGuestDiesBeforeItsAcknowledgement() {
        try (TwoHosts hosts = TwoHosts.boot(GuestKillSystemTest.class)) {
            hosts.startStandby(TakeoverMode.AUTO, TwoHosts.patient());
            // Clients are there before the point is armed: the epoch that it hits carries what they did.
            hosts.startPrimary(TwoHosts.patient());
            hosts.awaitProtected();
            hosts.startLoad();
            hosts.startPrimary(TwoHosts.patient().withPrimaryExtra("--arm", "guest-kill-before-ack@150"));

            final long[] stoodByNs = {System.nanoTime()};
            hosts.await(
                    () -> {
                        final long nowNs = System.nanoTime();
                        final AgentState state = hosts.standby().state();
                        if (state != AgentState.TAKING_OVER && state != AgentState.ACTIVE) {
                            stoodByNs[0] = nowNs;
                        }
                        return state == AgentState.ACTIVE;
                    },
                    TAKEOVER_LIMIT,
                    "host B to run the guest",
                    false);
            hosts.awaitAnswersSince(stoodByNs[0]);
            final LoadResult result = hosts.load().finish(new FailoverTimes(stoodByNs[0], stoodByNs[0], stoodByNs[0]));

            assertEquals(0, result.lostOperations(), result::toString);
            assertEquals(0, result.rewinds(), result::toString);
            assertEquals(result.connections(), result.connectionsSurvived(), result::toString);
            assertTrue(result.complaints().isEmpty(), result::toString);
            hosts.primary().process().awaitEnd(TwoHosts.END_LIMIT);
            assertEquals(FAILED, hosts.primary().process().exitStatus(), hosts::describe);
        }
    }
}
