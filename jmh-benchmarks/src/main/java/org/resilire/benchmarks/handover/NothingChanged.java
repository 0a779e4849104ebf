package org.resilire.benchmarks.handover;

import java.lang.foreign.MemorySegment;
import org.resilire.fgbi.BlockIdentifier;

/** For benchmarks that look at what is around it. */
final class NothingChanged implements BlockIdentifier {

    @Override
    public int capture(final long page, final MemorySegment out, final long outOffset) {
        return 0;
    }

    @Override
    public void reset() {}

    @Override
    public void close() {}
}
