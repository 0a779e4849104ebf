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
        return CapturedRecord.finish(page, mask, kernels, out, outOffset);
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
