package org.resilire.net;

import java.lang.foreign.MemorySegment;

/** An uplink to nowhere: takes every frame and has none. For guests without a network and for tests. */
public final class NoUplink implements Uplink {

    @Override
    public String name() {
        return "no uplink";
    }

    @Override
    public int read(final MemorySegment into, final long offset, final int capacityBytes) {
        return 0;
    }

    @Override
    public boolean write(final MemorySegment frames, final long offset, final int lengthBytes) {
        return true;
    }

    @Override
    public int descriptor() {
        return NO_DESCRIPTOR;
    }

    @Override
    public void close() {}
}
