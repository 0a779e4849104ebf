package org.resilire.net;

import java.lang.foreign.MemorySegment;

/**
 * Where a guest's frames leave the host and where frames for it arrive. Nothing blocks. Not thread-safe: the network thread
 * reads, writes and closes.
 */
public interface Uplink extends FrameSink, AutoCloseable {

    /** The answer of {@link #descriptor()} when there is nothing to wait for. */
    int NO_DESCRIPTOR = -1;

    /** As shown to users, for example {@code tap demo0}. */
    String name();

    /**
     * Reads one frame. A longer one is cut off, so that a length of {@code capacityBytes} says that it may have been.
     *
     * @param offset where to put it in {@code into}, in bytes
     * @return its length in bytes; 0 when there is none
     */
    int read(MemorySegment into, long offset, int capacityBytes);

    /** The file descriptor that becomes readable when a frame arrives, or {@link #NO_DESCRIPTOR}. */
    int descriptor();

    /** Frames that were taken but that the host refused, for example because the device was down. */
    default long failedWrites() {
        return 0;
    }

    @Override
    void close();
}
