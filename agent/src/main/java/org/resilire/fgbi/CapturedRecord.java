package org.resilire.fgbi;

import java.lang.foreign.MemorySegment;
import org.resilire.codec.PageRecord;
import org.resilire.guest.GuestMemory;
import org.resilire.simd.BlockKernels;

/** Makes a record of the changed blocks of a page whose payload stands in its place already. Stateless. */
final class CapturedRecord {

    private static final long ALL_BLOCKS = -1L;

    private CapturedRecord() {}

    /**
     * Puts the header before the payload.
     *
     * @param mask the blocks of the payload, which begins behind the header's place
     * @return length of the record, 0 if there are no blocks
     */
    static int finish(
            final long page,
            final long mask,
            final BlockKernels kernels,
            final MemorySegment out,
            final long outOffset) {
        if (mask == 0) {
            return 0;
        }
        // Only a page that changed all over can have become all zero at no further cost than a look at what was copied.
        if (mask == ALL_BLOCKS && kernels.isZero(out, outOffset + PageRecord.HEADER_BYTES, GuestMemory.PAGE_BYTES)) {
            PageRecord.putHeader(out, outOffset, page, PageRecord.ZERO, 0);
            return PageRecord.HEADER_BYTES;
        }
        PageRecord.putHeader(out, outOffset, page, PageRecord.BLOCKS, mask);
        return PageRecord.lengthBytes(mask);
    }
}
