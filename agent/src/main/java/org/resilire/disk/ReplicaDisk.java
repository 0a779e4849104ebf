package org.resilire.disk;

import java.io.IOException;
import org.agrona.CloseHelper;

/**
 * The copy of a guest's disk on the host that may take over: its image, served from {@link #open} on to a QEMU that may read, and
 * write once the disk was released to it. Opened and closed by one thread.
 */
public final class ReplicaDisk implements AutoCloseable {

    private final DiskConfig config;
    private final DiskImage image;
    private final WriteGate gate;
    private final NbdServer server;

    private ReplicaDisk(final DiskConfig config, final DiskImage image, final WriteGate gate, final NbdServer server) {
        this.config = config;
        this.image = image;
        this.gate = gate;
        this.server = server;
    }

    /**
     * Opens and serves a disk.
     *
     * @throws DiskImageException if it cannot be served; the message is for the user
     */
    public static ReplicaDisk open(final DiskConfig config) throws IOException {
        final DiskImage image = DiskImage.open(config.image(), false, WriteObserver.NONE);
        try {
            final WriteGate gate = WriteGate.closed();
            return new ReplicaDisk(config, image, gate, DiskSocket.serve(config, image, gate));
        } catch (final IOException | RuntimeException failure) {
            CloseHelper.quietClose(image);
            throw failure;
        }
    }

    /** What both hosts know it by. */
    public String name() {
        return config.name();
    }

    /** From here on the guest may write. Any thread. */
    public void release() {
        gate.open();
    }

    @Override
    public void close() throws IOException {
        server.close();
        image.close();
    }
}
