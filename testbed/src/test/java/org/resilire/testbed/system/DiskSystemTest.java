package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.resilire.control.AgentState;
import org.resilire.control.ProcessIdentity;
import org.resilire.linux.PidFd;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.DiskCheck;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.LabDisk;
import org.resilire.testbed.lab.LabHost;
import org.resilire.testbed.lab.StandbyQemu;
import org.resilire.testbed.lab.TakeoverMode;

/** A guest with a replicated disk: ext4, on which Redis has every write on stable storage before it answers. */
class DiskSystemTest {

    private static final String DISK = "d0";
    private static final long DISK_BYTES = 256L << 20;
    private static final int EPOCHS = 100;
    private static final Duration EPOCHS_LIMIT = Duration.ofSeconds(60);
    private static final Duration LOSS_LIMIT = Duration.ofSeconds(30);

    /** Of {@code resilire standby} when the guest that it took over has ended. */
    private static final int FAILED = 1;

    private static AgentOptions options() {
        return TwoHosts.patient().withDisks(DISK);
    }

    private static TwoHosts boot(final String name) {
        final GuestConfig config =
                GuestConfig.small(GuestImage.fromEnvironment()).withDisks(DISK);
        return TwoHosts.withoutGuest("DiskSystemTest-" + name, config);
    }

    private static void protect(final TwoHosts hosts, final TakeoverMode takeover) {
        hosts.startStandby(takeover, options());
        hosts.startPrimary(options()).awaitServing();
        hosts.bootGuest();
        hosts.awaitProtected();
    }

    @Test
    void shouldKeepTheDiskOfTheLastCheckpointThroughAFailover() {
        try (TwoHosts hosts = boot("failover")) {
            LabDisk.createExt4(hosts.lab(), DISK, DISK_BYTES);
            protect(hosts, TakeoverMode.AUTO);
            hosts.startLoad();
            hosts.awaitEpochs(EPOCHS, EPOCHS_LIMIT);
            hosts.awaitAnswersSince(System.nanoTime());

            hosts.requireNothingLost(hosts.killHostA());

            endGuestOnB(hosts);
            final Path copy = hosts.lab().hostB().diskDirectory().resolve("copy");
            LabDisk.copy(hosts.lab().hostB().diskImage(DISK), copy);
            assertEquals(Optional.empty(), DiskCheck.complaint(copy));
        }
    }

    /** As a loss of power would: the disk stays as it is just then. */
    private static void endGuestOnB(final TwoHosts hosts) {
        final ProcessIdentity qemu = StandbyQemu.find(hosts.lab()).orElseThrow();
        try (PidFd process = PidFd.open(qemu.pid())) {
            process.kill();
        }
        hosts.standby().process().awaitEnd(TwoHosts.END_LIMIT);
        assertEquals(FAILED, hosts.standby().process().exitStatus(), hosts::describe);
    }

    @Test
    void shouldGoOnWithTheDiskUnderTheNextAgentAndCopyOnlyWhatChanged() throws IOException {
        try (TwoHosts hosts = boot("agent")) {
            LabDisk.createExt4(hosts.lab(), DISK, DISK_BYTES);
            protect(hosts, TakeoverMode.MANUAL);
            hosts.startLoad();
            hosts.awaitEpochs(EPOCHS, EPOCHS_LIMIT);

            hosts.primary().process().kill();
            hosts.primary().process().awaitEnd(TwoHosts.END_LIMIT);
            hosts.startPrimary(options());
            hosts.awaitProtected();
            hosts.awaitAnswersSince(System.nanoTime());
            final String log = Files.readString(hosts.primary().process().log());
            assertTrue(log.contains("copying what the backup lacks of"), hosts::describe);
            assertTrue(!log.contains("by hashes"), hosts::describe);
            hosts.awaitEpochs(EPOCHS, EPOCHS_LIMIT);
        }
    }

    @Test
    void shouldSayThatTheBackupsDiskIsFullAndLetTheGuestRunOn() throws IOException {
        final TwoHosts hosts = boot("full");
        final LabHost hostB = hosts.lab().hostB();
        LabDisk.limit(hostB, 64);
        try {
            LabDisk.createExt4(hosts.lab(), DISK, DISK_BYTES);
            protect(hosts, TakeoverMode.AUTO);
            hosts.startLoad();
            final Path filler = hostB.diskDirectory().resolve("filler");
            fill(filler);
            hosts.await(
                    () -> hosts.primary().lastError().contains("ENOSPC"),
                    LOSS_LIMIT,
                    "the primary to hear that the disk is full",
                    true);
            hosts.primary().awaitState(AgentState.UNPROTECTED, LOSS_LIMIT);
            hosts.awaitAnswersSince(System.nanoTime());

            Files.delete(filler);
            hosts.awaitProtected();
            hosts.awaitAnswersSince(System.nanoTime());
        } finally {
            LabDisk.unlimit(hostB);
            hosts.close();
        }
    }

    private static void fill(final Path filler) throws IOException {
        final byte[] zeros = new byte[4096];
        try (var out = Files.newOutputStream(filler)) {
            while (true) {
                out.write(zeros);
            }
        } catch (final IOException full) {
            assertTrue(Files.size(filler) > 0, full::toString);
        }
    }
}
