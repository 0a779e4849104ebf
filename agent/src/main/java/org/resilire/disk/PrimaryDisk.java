package org.resilire.disk;

import java.io.IOException;
import java.nio.file.Path;
import org.agrona.CloseHelper;

/**
 * A disk of a guest that runs on this host: its image, served to QEMU from {@link #open} on, what of it may differ from the
 * backup's, and what changes in it. Opened and closed by one thread.
 */
public final class PrimaryDisk implements AutoCloseable {

    /** Some epochs of a fast guest, and of memory as much as it needs. */
    private static final long LOG_BYTES = 32L << 20;

    private final DiskConfig config;
    private final DirtyBitmap bitmap;
    private final EpochWriteLog log;
    private final DiskImage image;
    private final NbdServer server;

    private PrimaryDisk(
            final DiskConfig config,
            final DirtyBitmap bitmap,
            final EpochWriteLog log,
            final DiskImage image,
            final NbdServer server) {
        this.config = config;
        this.bitmap = bitmap;
        this.log = log;
        this.image = image;
        this.server = server;
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
        final DirtyBitmap bitmap =
                DirtyBitmap.open(stateDirectory.resolve(vmName + "." + config.name() + ".bitmap"), lengthBytes);
        final EpochWriteLog log = new EpochWriteLog(LOG_BYTES, bitmap);
        DiskImage image = null;
        try {
            image = DiskImage.open(config.image(), false, log);
            return new PrimaryDisk(config, bitmap, log, image, DiskSocket.serve(config, image, WriteGate.opened()));
        } catch (final IOException | RuntimeException failure) {
            CloseHelper.quietCloseAll(image, log, bitmap);
            throw failure;
        }
    }

    /** What both hosts know it by. */
    public String name() {
        return config.name();
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

    /** Clients wait from here on until somebody serves the disk again. */
    @Override
    public void close() throws IOException {
        // Whatever waits for the log's sender waits in vain by now, and the server waits for it.
        log.stop();
        server.close();
        image.close();
        log.close();
        bitmap.close();
    }
}
