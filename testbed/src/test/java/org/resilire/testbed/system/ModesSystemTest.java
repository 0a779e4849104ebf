package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.TakeoverMode;

/** Whatever travels of a page, and however: the replica is the guest. One guest under load for all modes; the default is verified elsewhere. */
class ModesSystemTest {

    private static final int EPOCHS = 40;
    private static final Duration EPOCHS_LIMIT = Duration.ofSeconds(60);

    private static TwoHosts hosts;

    @BeforeAll
    static void bootGuest() {
        hosts = TwoHosts.boot(ModesSystemTest.class);
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient());
    }

    @AfterAll
    static void closeLab() {
        if (hosts != null) {
            hosts.close();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--mode remus",
                "--mode remus --codec delta+lz4",
                "--codec raw --sharing off",
                "--codec delta+lz4 --sharing off",
                "--codec raw --sharing on",
                "--codec delta+pack+lz4 --sharing on --encoder-thread",
                "--identify hash",
                "--block 128",
                "--block 256 --codec raw --sharing off",
            })
    void shouldKeepReplicaEqualUnderLoadInEveryMode(final String mode) {
        final AgentOptions options = TwoHosts.patient().withPrimaryExtra(mode.split(" "));
        hosts.startPrimary(options);
        hosts.awaitProtected();
        if (hosts.load() == null) {
            hosts.startLoad();
        }
        hosts.awaitAnswersSince(System.nanoTime());
        hosts.awaitEpochs(EPOCHS, EPOCHS_LIMIT);
        final CommandRun verify = hosts.verify();
        assertEquals(0, verify.exitStatus(), () -> mode + ": " + verify + hosts.describe());
        final long captured = hosts.primary().counter(AgentCounter.RECORD_BYTES_IN_TOTAL);
        final long encoded = hosts.primary().counter(AgentCounter.RECORD_BYTES_OUT_TOTAL);
        assertTrue(captured > 0, hosts::describe);
        assertTrue(encoded <= captured, () -> mode + " made records longer" + hosts.describe());
        if (mode.contains("delta")) {
            // Of a page that a guest writes, most stays as it was; of a block of 64 B, not always.
            final long limit = mode.contains("remus") ? captured / 2 : captured;
            assertTrue(encoded < limit, () -> mode + ": " + encoded + " of " + captured + hosts.describe());
        }
    }
}
