package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.resilire.testbed.lab.TakeoverMode;

/** Only QEMU dies, its agent lives to tell. */
class GuestKillSystemTest {

    /** Of {@code resilire protect} when its guest ended. */
    private static final int FAILED = 1;

    @Test
    void shouldHaveEpochWholeOrNotAtAllWhenGuestDiesBeforeItsAcknowledgement() {
        try (TwoHosts hosts = TwoHosts.boot(GuestKillSystemTest.class)) {
            hosts.protect(TakeoverMode.AUTO, TwoHosts.patient());
            // Clients are there before the point is armed: the epoch that it hits carries what they did.
            hosts.startLoad();
            hosts.startPrimary(TwoHosts.patient().withPrimaryExtra("--arm", "guest-kill-before-ack@150"));

            hosts.requireNothingLost(hosts.awaitTakeover(System.nanoTime()));
            hosts.primary().process().awaitEnd(TwoHosts.END_LIMIT);
            assertEquals(FAILED, hosts.primary().process().exitStatus(), hosts::describe);
        }
    }
}
