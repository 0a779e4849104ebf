package org.resilire.net;

import java.lang.foreign.MemorySegment;
import org.resilire.linux.LinuxException;
import org.resilire.linux.TapDevice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A TAP device as uplink. A frame that the host refuses (a device that was set down, a guest's frame shorter than an Ethernet
 * header) is lost as on a cable, and counted: it must not end the network thread, for the frame's content is the guest's.
 */
public final class TapUplink implements Uplink {

    private static final Logger LOG = LoggerFactory.getLogger(TapUplink.class);

    private final TapDevice tap;
    private final String name;
    private long failedWrites;
    private boolean isFailing;

    /** Takes over the device: {@link #close()} closes it. */
    public TapUplink(final TapDevice tap) {
        this.tap = tap;
        name = "tap " + tap.name();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int read(final MemorySegment into, final long offset, final int capacityBytes) {
        try {
            return tap.read(into, offset, capacityBytes);
        } catch (final LinuxException failure) {
            reportOnce("read from", failure);
            return 0;
        }
    }

    @Override
    public boolean write(final MemorySegment frames, final long offset, final int lengthBytes) {
        try {
            final boolean isTaken = tap.write(frames, offset, lengthBytes);
            isFailing &= !isTaken;
            return isTaken;
        } catch (final LinuxException failure) {
            failedWrites++;
            reportOnce("write to", failure);
            return true;
        }
    }

    @Override
    public int descriptor() {
        return tap.number();
    }

    @Override
    public long failedWrites() {
        return failedWrites + tap.droppedFrames();
    }

    @Override
    public void close() {
        tap.close();
    }

    /** Once for each spell of failures: a device that is down would otherwise fill the log. */
    private void reportOnce(final String what, final LinuxException failure) {
        if (!isFailing) {
            isFailing = true;
            LOG.warn("Cannot {} {}; frames are lost until it works again: {}", what, name, failure.getMessage());
        }
    }
}
