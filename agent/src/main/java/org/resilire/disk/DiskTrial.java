package org.resilire.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All disks of a standby as they are at one epoch, for a trial of it: served beside the replicas, to be written to and thrown away. It
 * begins at an epoch up to which everything was handed to whoever applies ({@link ReplicaDisks#beginTrial}), is exact once that is on the disks,
 * and is kept so by having what later epochs change preserved. It ends when its user has gone, or does not come, and at the latest when
 * this host takes over.
 *
 * <p>Opened, served and closed by one thread; it also closes itself.
 */
public final class DiskTrial implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DiskTrial.class);

    /** Left to what shares the file system, such as the replicas' journals. */
    private static final long SPARE_BYTES = 256L << 20;

    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** A QEMU that is started by then has come, and one that has gone for so long does not come back. */
    private static final long COMING_NANOS = TimeUnit.SECONDS.toNanos(30);

    private static final long GONE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ReplicaDisks replicas;
    private final List<DiskConfig> configs;
    private final List<TrialDisk> disks;
    private final List<NbdServer> servers = new ArrayList<>();
    private volatile boolean isExact;
    private volatile boolean isClosing;
    private boolean isClosed;

    private DiskTrial(final ReplicaDisks replicas, final List<DiskConfig> configs, final List<TrialDisk> disks) {
        this.replicas = replicas;
        this.configs = configs;
        this.disks = disks;
    }

    /**
     * Makes one that has not begun.
     *
     * @param stateDirectory of the replicas; takes what the trial and the guest change, without a name
     * @throws DiskImageException if there is no room; the message is for the user
     */
    public static DiskTrial open(final ReplicaDisks replicas, final Path stateDirectory) throws IOException {
        if (!hasRoom(stateDirectory)) {
            throw new DiskImageException("a test with disks needs room in " + stateDirectory
                    + " for what changes meanwhile: more than " + (SPARE_BYTES >> 20) + " MiB");
        }
        final List<TrialDisk> opened = new ArrayList<>();
        final List<DiskConfig> configs = new ArrayList<>();
        try {
            for (final ReplicaDisk replica : replicas.all()) {
                configs.add(replica.config());
                opened.add(replica.newTrial(() -> hasRoom(stateDirectory)));
            }
        } catch (final IOException | RuntimeException e) {
            CloseHelper.quietCloseAll(opened);
            throw e;
        }
        return new DiskTrial(replicas, configs, opened);
    }

    private static boolean hasRoom(final Path directory) {
        try {
            return Files.getFileStore(directory).getUsableSpace() > SPARE_BYTES;
        } catch (final IOException e) {
            LOG.warn("cannot tell how much room {} has: {}", directory, e.getMessage());
            return false;
        }
    }

    // ---------------------------------------------------------------- who applies, and who receives

    /** All up to the epoch at which it began is on the replicas. */
    void reached() {
        isExact = true;
    }

    /** These changes of a disk are about to be applied, and are of later epochs. */
    void preserve(final int disk, final EpochWriteBuffer changes) {
        final TrialDisk trial = disks.get(disk);
        final MemorySegment records = changes.records();
        final long end = changes.committedBytes();
        for (long at = 0; at < end; at += WriteRecord.recordBytes(WriteRecord.dataBytes(records, at))) {
            if (WriteRecord.change(records, at) != DiskChange.COMPARE) {
                trial.preserve(WriteRecord.diskOffset(records, at), WriteRecord.lengthBytes(records, at));
            }
        }
    }

    /** It is over: its user gets errors. Any thread. */
    void fail(final String why) {
        for (final TrialDisk disk : disks) {
            disk.fail(why);
        }
    }

    // ---------------------------------------------------------------- its user

    /** Why it is over; null if it is not. Any thread. */
    public String failure() {
        for (final TrialDisk disk : disks) {
            if (disk.failure() != null) {
                return disk.failure();
            }
        }
        return null;
    }

    /** Whether it has begun and is exact. Any thread. */
    public boolean isExact() {
        return isExact;
    }

    /**
     * Serves the disks, once they are exact, until their user has gone.
     *
     * @param directory of its user's alone, for the sockets
     * @return the sockets by those of the standby's disks
     */
    public Map<Path, Path> serve(final Path directory) throws IOException {
        final Map<Path, Path> sockets = new LinkedHashMap<>();
        for (int i = 0; i < disks.size(); i++) {
            final DiskConfig config = configs.get(i);
            final Path socket = directory.resolve(config.name() + ".nbd");
            servers.add(NbdServer.start(socket, List.of(new NbdExport(config.name(), disks.get(i)))));
            sockets.put(config.socket(), socket);
        }
        Thread.ofPlatform().daemon().name("disk-trial").start(this::closeWhenUserHasGone);
        return sockets;
    }

    private void closeWhenUserHasGone() {
        long deadlineNanos = System.nanoTime() + COMING_NANOS;
        long seenConnections = 0;
        while (!isClosing && System.nanoTime() - deadlineNanos < 0) {
            long connections = 0;
            boolean isUsed = false;
            for (final NbdServer server : servers) {
                connections += server.connectionsTotal();
                isUsed |= server.connectionCount() > 0;
            }
            if (isUsed || connections > seenConnections) {
                deadlineNanos = System.nanoTime() + GONE_NANOS;
                seenConnections = connections;
            }
            LockSupport.parkNanos(STEP_NANOS);
        }
        try {
            close();
        } catch (final IOException e) {
            LOG.warn("a trial's disks: {}", e.getMessage());
        }
    }

    /** Ends it, whether or not it is in use; nothing is preserved from here on. Any thread, as often as it likes. */
    @Override
    public void close() throws IOException {
        isClosing = true;
        synchronized (this) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            replicas.endTrial(this);
            long scratchBytes = 0;
            for (final TrialDisk disk : disks) {
                scratchBytes += disk.scratchBytes();
            }
            LOG.info("the disks of a test are thrown away: {} KiB", scratchBytes >> 10);
            try {
                CloseHelper.closeAll(servers);
            } finally {
                CloseHelper.closeAll(disks);
            }
        }
    }
}
