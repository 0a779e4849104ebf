package org.resilire.net;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** Counts what it was given, and has as many frames as the test says. Allocates nothing. */
class CountingUplink implements Uplink {

    final AtomicLong written = new AtomicLong();
    final AtomicLong framesToRead = new AtomicLong();

    @Override
    public String name() {
        return "counting";
    }

    @Override
    public int read(final MemorySegment into, final long offset, final int capacityBytes) {
        if (framesToRead.get() == 0) {
            return 0;
        }
        framesToRead.decrementAndGet();
        return TestFrames.LENGTH_BYTES;
    }

    @Override
    public boolean write(final MemorySegment frames, final long offset, final int lengthBytes) {
        written.incrementAndGet();
        return true;
    }

    @Override
    public int descriptor() {
        return NO_DESCRIPTOR;
    }

    @Override
    public void close() {}
}
