package org.resilire.backup;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.agrona.concurrent.SystemNanoClock;
import org.resilire.disk.DiskConfig;
import org.resilire.disk.ReplicaDisks;
import org.resilire.failover.Fence;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.GuestException;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.qemu.DecoyStandby;
import org.resilire.guest.qemu.DeviceInventory;
import org.resilire.linux.MappedFile;
import org.resilire.net.replay.ReplayRehearsal;
import org.resilire.wire.sbe.SwitchoverStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes over a guest that is none, so that the code of a takeover and of a planned move has been run before a guest stands still for it:
 * its classes are loaded then, and what they call is linked. Everything about it is its own, in a directory that is gone afterwards:
 * memory, record, disk, fence command ({@code true}), and a QEMU that is a thread of this process.
 */
final class TakeoverRehearsal {

    private static final Logger LOG = LoggerFactory.getLogger(TakeoverRehearsal.class);

    private static final int ROUNDS = 20;
    private static final long RAM_BYTES = 16L * GuestMemory.PAGE_BYTES;
    private static final long DISK_BYTES = 1 << 20;
    private static final long FENCE_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static boolean isDone;
    private static boolean isDoneWithDisks;

    private TakeoverRehearsal() {}

    /**
     * Once in the life of this JVM, and once with disks; takes some tenths of a second. A rehearsal that fails only means that a guest stands still for longer.
     *
     * @param directory made for it, and removed; short, since there are sockets in it
     * @param hasDisks whether the guest has disks, so that one is let write here, too
     */
    static synchronized void once(final Path directory, final boolean hasDisks) {
        if (isDone && (isDoneWithDisks || !hasDisks)) {
            return;
        }
        isDone = true;
        isDoneWithDisks |= hasDisks;
        final long startNanos = System.nanoTime();
        try {
            run(directory, hasDisks);
            LOG.debug("rehearsed a takeover in {} ms", (System.nanoTime() - startNanos) / 1e6);
        } catch (final IOException
                | RuntimeException
                // A file in memory that cannot grow: SIGBUS, as the JVM tells it.
                | InternalError
                | Takeover.RefusedException
                | Takeover.StandbyFailedException e) {
            LOG.debug("could not rehearse a takeover", e);
        }
    }

    static void run(final Path directory, final boolean hasDisks)
            throws IOException, Takeover.RefusedException, Takeover.StandbyFailedException {
        // An agent that was killed may have left it.
        remove(directory);
        Files.createDirectory(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        final ExecutorService fencing = Executors.newSingleThreadExecutor(
                task -> Thread.ofPlatform().daemon().name("rehearsal").unstarted(task));
        try (DecoyStandby decoy = DecoyStandby.start(directory)) {
            final Standby standby = new Rehearsed(decoy);
            final ProtectionRecord record = ProtectionRecord.open(directory, "rehearsal");
            final Fence fence = new Fence("true", FENCE_LIMIT_NANOS, directory.resolve("fence.log"));
            final Takeover takeover = new Takeover(Optional.of(fence), record, fencing, SystemNanoClock.INSTANCE);
            try (Replica replica = replica(directory.resolve("ram"), ReplicaDisks.none())) {
                takeover.run(replica, standby, Mandate.ofOperator(), () -> {});
                for (int round = 0; round < ROUNDS; round++) {
                    move(takeover, replica, standby, record);
                }
            }
            if (hasDisks) {
                try (ReplicaDisks disks = disks(directory);
                        Replica replica = replica(directory.resolve("ram-with-disk"), disks)) {
                    move(takeover, replica, standby, record);
                }
            }
            ReplayRehearsal.run();
        } finally {
            fencing.shutdownNow();
            remove(directory);
        }
    }

    private static Replica replica(final Path ram, final ReplicaDisks disks) {
        MappedFile.create(ram, RAM_BYTES).close();
        return new Replica(GuestMemory.mapForReplay(ram), disks);
    }

    private static ReplicaDisks disks(final Path directory) throws IOException {
        final Path image = directory.resolve("image");
        MappedFile.create(image, DISK_BYTES).close();
        return ReplicaDisks.open(
                List.of(new DiskConfig("d", image, directory.resolve("nbd"))), directory, "rehearsal", 1);
    }

    private static void move(
            final Takeover takeover, final Replica replica, final Standby standby, final ProtectionRecord record)
            throws Takeover.StandbyFailedException {
        final GuestException failure = takeover.prepareSwitchover(replica, standby);
        if (failure != null) {
            throw failure;
        }
        takeover.acceptSwitchover(replica, standby, record.generation() + 1, () -> {});
        answer(record.generation());
    }

    /** To nobody: it is encoded and dropped. */
    private static void answer(final long generation) {
        try (ReplySender replies = new ReplySender(null)) {
            final SwitchoverState state = new SwitchoverState();
            state.asked(1);
            for (final SwitchoverStage stage : List.of(SwitchoverStage.LOADED, SwitchoverStage.RUNNING)) {
                state.answer(stage, generation, "");
                state.sendTo(replies, 0);
            }
        }
    }

    private static void remove(final Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (final Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** It has nothing that could outlive this agent, or be ended. */
    private record Rehearsed(DecoyStandby decoy) implements Standby {

        @Override
        public DeviceInventory inventory() {
            throw new UnsupportedOperationException("a decoy has no devices");
        }

        @Override
        public void load(final MemorySegment state, final int lengthBytes) {
            decoy.load();
        }

        @Override
        public boolean isLoaded() {
            return false;
        }

        @Override
        public void release() {}

        @Override
        public void kill() {}

        @Override
        public void resume() {
            decoy.resume();
        }

        @Override
        public void announce() {
            decoy.announce();
        }

        @Override
        public boolean hasExited() {
            return false;
        }

        @Override
        public void close() {}
    }
}
