package org.resilire.net;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/** Remembers what it was given, and has what the test put there. */
final class TestUplink implements Uplink {

    final List<byte[]> written = new ArrayList<>();
    final Queue<byte[]> inbound = new ArrayDeque<>();
    int freeSlots = Integer.MAX_VALUE;
    Runnable beforeRead = () -> {};

    @Override
    public String name() {
        return "test";
    }

    @Override
    public int read(final MemorySegment into, final long offset, final int capacityBytes) {
        beforeRead.run();
        final byte[] frame = inbound.poll();
        if (frame == null) {
            return 0;
        }
        final int lengthBytes = Math.min(frame.length, capacityBytes);
        MemorySegment.copy(frame, 0, into, JAVA_BYTE, offset, lengthBytes);
        return lengthBytes;
    }

    @Override
    public boolean write(final MemorySegment frames, final long offset, final int lengthBytes) {
        if (freeSlots == 0) {
            return false;
        }
        freeSlots--;
        written.add(frames.asSlice(offset, lengthBytes).toArray(JAVA_BYTE));
        return true;
    }

    @Override
    public int descriptor() {
        return NO_DESCRIPTOR;
    }

    @Override
    public void close() {}
}
