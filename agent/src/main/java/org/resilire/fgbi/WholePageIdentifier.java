package org.resilire.fgbi;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.resilire.codec.PageRecord;
import org.resilire.guest.GuestMemory;
import org.resilire.simd.BlockKernels;

/**
 * Takes every page that was written as a whole and compares nothing, as Remus does (NSDI 2008): the baseline. Only pages that never
 * were anything but zero since the session began are left out; a bit a page tells.
 */
public final class WholePageIdentifier implements BlockIdentifier {

    private static final long ALL_BLOCKS = -1L;

    private final MemorySegment guest;
    private final SentMemory sentOrNull;
    private final BlockKernels kernels;
    private final long[] everSent;

    /**
     * Captures from {@code guest}.
     *
     * @param guest whole pages
     * @param sentOrNull old versions that the encoder keeps for its deltas, if it does; it also closes them
     */
    public WholePageIdentifier(final MemorySegment guest, final SentMemory sentOrNull, final BlockKernels kernels) {
        this.guest = guest;
        this.sentOrNull = sentOrNull;
        this.kernels = kernels;
        final long pages = guest.byteSize() / GuestMemory.PAGE_BYTES;
        everSent = new long[Math.toIntExact((pages + Long.SIZE - 1) / Long.SIZE)];
    }

    @Override
    public int capture(final long page, final MemorySegment out, final long outOffset) {
        final long payload = outOffset + PageRecord.HEADER_BYTES;
        MemorySegment.copy(guest, page << GuestMemory.PAGE_SHIFT, out, payload, GuestMemory.PAGE_BYTES);
        final int word = (int) (page / Long.SIZE);
        final long bit = 1L << page;
        if (kernels.isZero(out, payload, GuestMemory.PAGE_BYTES)) {
            if ((everSent[word] & bit) == 0) {
                return 0;
            }
            PageRecord.putHeader(out, outOffset, page, PageRecord.ZERO, 0);
            return PageRecord.HEADER_BYTES;
        }
        everSent[word] |= bit;
        PageRecord.putHeader(out, outOffset, page, PageRecord.BLOCKS, ALL_BLOCKS);
        return PageRecord.MAX_BYTES;
    }

    @Override
    public void reset() {
        Arrays.fill(everSent, 0);
        if (sentOrNull != null) {
            sentOrNull.reset();
        }
    }

    @Override
    public long memoryBytes() {
        return (long) everSent.length * Long.BYTES;
    }

    @Override
    public void close() {
        // The memory, if any, is the encoder's.
    }
}
