package org.resilire.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.agrona.CloseHelper;
import org.resilire.linux.BlockFile;
import org.resilire.linux.LinuxException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A disk of a guest that runs on this host: its image, served to QEMU from {@link #open} on, what of it may differ from the
 * backup's, and what changes in it. Opened and closed by one thread.
 */
public final class PrimaryDisk implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PrimaryDisk.class);

    /** Some epochs of a fast guest, and of memory as much as it needs. */
    static final long LOG_BYTES = 32L << 20;

    /** An epoch ends early at a quarter of it; the backup can hold many times as much. */
    static final long EPOCH_QUOTA_BYTES = 64L << 20;

    private final DiskConfig config;
    private final DiskFiles files;
    private final DirtyBitmap bitmap;
    private final EpochWriteLog log;
    private final DiskImage image;
    private final NbdServer server;
    private final boolean isOwner;

    PrimaryDisk(
            final DiskConfig config,
            final DiskFiles files,
            final DirtyBitmap bitmap,
            final EpochWriteLog log,
            final DiskImage image,
            final NbdServer server,
            final boolean isOwner) {
        this.config = config;
        this.files = files;
        this.bitmap = bitmap;
        this.log = log;
        this.image = image;
        this.server = server;
        this.isOwner = isOwner;
    }

    /**
     * Opens and serves a disk.
     *
     * @param stateDirectory keeps the bitmap, which outlives the agent
     * @throws DiskImageException if it cannot be served; the message is for the user
     */
    public static PrimaryDisk open(final DiskConfig config, final Path stateDirectory, final String vmName)
            throws IOException {
        final long lengthBytes = DiskImage.lengthOf(config.image());
        final DiskFiles files = DiskFiles.of(stateDirectory, vmName, config.name());
        final DirtyBitmap bitmap = DirtyBitmap.open(files.bitmap(), config.image(), lengthBytes);
        final EpochWriteLog log = new EpochWriteLog(LOG_BYTES, EPOCH_QUOTA_BYTES, bitmap);
        DiskImage image = null;
        try {
            image = DiskImage.open(config.image(), false, log);
            finishJournal(config, files, image);
            files.becomePrimary();
            final NbdServer server = DiskSocket.serve(config, image, WriteGate.opened());
            return new PrimaryDisk(config, files, bitmap, log, image, server, true);
        } catch (final IOException | RuntimeException failure) {
            CloseHelper.quietCloseAll(image, log);
            bitmap.abandon();
            throw failure;
        }
    }

    /** An agent that kept this image as a copy may have ended while it applied an epoch: that disk is nobody's yet. */
    private static void finishJournal(final DiskConfig config, final DiskFiles files, final DiskImage image)
            throws IOException {
        if (!Files.exists(files.journal())
                || !ReplicaIdentity.isOf(files.identity(), config.image(), image.lengthBytes())) {
            return;
        }
        try (BlockFile file = BlockFile.open(files.journal(), true);
                ApplyJournal journal = new ApplyJournal(Storage.of(file), Storage.of(image))) {
            if (journal.recover()) {
                LOG.info("disk {}: finished the epoch that a former agent had begun to apply", config.name());
            }
        }
    }

    /** What both hosts know it by. */
    public String name() {
        return config.name();
    }

    /** For the greeting. */
    public DiskIdentity identity() {
        return new DiskIdentity(config.name(), image.lengthBytes(), bitmap.replica(), false);
    }

    public DiskConfig config() {
        return config;
    }

    public DiskImage image() {
        return image;
    }

    public EpochWriteLog log() {
        return log;
    }

    public DirtyBitmap bitmap() {
        return bitmap;
    }

    /** Whether a QEMU uses it. */
    public boolean isConnected() {
        return server.connectionCount() > 0;
    }

    /**
     * The guest has moved, as planned, to the host with the replica, all of whose changes that replica has: what is here is equal to it,
     * and from here on a copy of it, of which the other host knows what changes. No QEMU uses it any more, and none will.
     *
     * @param generation of the guest after the move
     */
    public void leave(final long generation) throws IOException {
        server.close();
        image.flush();
        ReplicaIdentity.assign(
                files.identity(),
                config.image(),
                image.lengthBytes(),
                ReplicaIdentity.leftBehind(bitmap.replica(), generation));
    }

    /** Clients wait from here on until somebody serves the disk again; one that another role opened stays open. */
    @Override
    public void close() throws IOException {
        // Whatever waits for the log's sender waits in vain by now, and the server waits for it.
        log.stop();
        if (isOwner) {
            close(server, image, log, bitmap);
        }
    }

    /**
     * Ends the service of a disk. What the bitmap says afterwards is about what is on stable storage: a host that ends later takes nothing
     * with it that the backup has.
     */
    static void close(final NbdServer server, final DiskImage image, final EpochWriteLog log, final DirtyBitmap bitmap)
            throws IOException {
        image.endDeferringFlushes();
        // Most of it while the guest still has its disk.
        final boolean canFlush = flush(image);
        server.close();
        if (!canFlush || !flush(image)) {
            bitmap.markAll();
        }
        image.close();
        log.close();
        bitmap.close();
    }

    private static boolean flush(final DiskImage image) {
        try {
            image.flush();
            return true;
        } catch (final LinuxException failure) {
            LOG.warn("the next agent compares all of {} with the backup's: {}", image.path(), failure.getMessage());
            return false;
        }
    }
}
