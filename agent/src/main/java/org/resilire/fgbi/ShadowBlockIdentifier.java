package org.resilire.fgbi;

import java.lang.foreign.MemorySegment;
import org.resilire.codec.PageRecord;
import org.resilire.guest.GuestMemory;
import org.resilire.simd.BlockKernels;

/**
 * Compares with a shadow, a copy of what the backup holds, and brings it up to date in the same pass. Exact, at the price of as
 * much memory as the guest's (only what the guest ever touched is really used). For codecs that need no old versions: they would
 * find the new ones here.
 */
public final class ShadowBlockIdentifier implements BlockIdentifier {

    private static final long ALL_BLOCKS = -1L;

    private final MemorySegment guest;
    private final SentMemory sent;
    private final MemorySegment shadow;
    private final BlockKernels kernels;

    /** @param guest whole pages */
    public ShadowBlockIdentifier(final MemorySegment guest, final BlockKernels kernels) {
        this.guest = guest;
        this.sent = new SentMemory("the guest's memory", guest.byteSize());
        this.shadow = sent.segment();
        this.kernels = kernels;
    }

    @Override
    public int capture(final long page, final MemorySegment out, final long outOffset) {
        final long pageOffset = page << GuestMemory.PAGE_SHIFT;
        final long payload = outOffset + PageRecord.HEADER_BYTES;
        final long mask = kernels.captureChanged(guest, pageOffset, shadow, pageOffset, out, payload);
        if (mask == 0) {
            return 0;
        }
        // Only a page that changed all over can have become all zero at no further cost than a look at what was copied.
        if (mask == ALL_BLOCKS && kernels.isZero(out, payload, GuestMemory.PAGE_BYTES)) {
            PageRecord.putHeader(out, outOffset, page, PageRecord.ZERO, 0);
            return PageRecord.HEADER_BYTES;
        }
        PageRecord.putHeader(out, outOffset, page, PageRecord.BLOCKS, mask);
        return PageRecord.lengthBytes(mask);
    }

    @Override
    public void reset() {
        sent.reset();
    }

    @Override
    public long memoryBytes() {
        return sent.lengthBytes();
    }

    @Override
    public void close() {
        sent.close();
    }
}
