package org.resilire.fgbi;

import java.lang.foreign.MemorySegment;
import org.resilire.codec.BlockRuns;
import org.resilire.codec.PageRecord;
import org.resilire.guest.GuestMemory;
import org.resilire.simd.BlockKernels;

/**
 * Compares with what was sent and copies what changed, but leaves the old version standing: the encoder makes deltas and references
 * from it and brings it up to date, record by record. So a page may be captured again only once the encoder is through with its
 * last record, or a block that changed back in between would be missed.
 */
public final class DeferredShadowIdentifier implements BlockIdentifier {

    private final MemorySegment guest;
    private final SentMemory sentMemory;
    private final MemorySegment sent;
    private final BlockKernels kernels;
    private final BlockSize blockSize;

    /**
     * Captures from {@code guest}.
     *
     * @param guest whole pages
     * @param sent as large; the encoder's, which also closes it
     */
    public DeferredShadowIdentifier(
            final MemorySegment guest, final SentMemory sent, final BlockKernels kernels, final BlockSize blockSize) {
        this.guest = guest;
        this.sentMemory = sent;
        this.sent = sent.segment();
        this.kernels = kernels;
        this.blockSize = blockSize;
    }

    @Override
    public int capture(final long page, final MemorySegment out, final long outOffset) {
        final long pageOffset = page << GuestMemory.PAGE_SHIFT;
        final long payload = outOffset + PageRecord.HEADER_BYTES;
        final long mask = copyChanged(pageOffset, out, payload);
        return CapturedRecord.finish(page, mask, kernels, out, outOffset);
    }

    private long copyChanged(final long pageOffset, final MemorySegment out, final long payload) {
        if (blockSize == BlockSize.B64) {
            return kernels.copyChanged(guest, pageOffset, sent, pageOffset, out, payload);
        }
        final long mask = blockSize.widen(kernels.changedBlocks(guest, pageOffset, sent, pageOffset));
        BlockRuns.pack(guest, pageOffset, mask, out, payload);
        return mask;
    }

    @Override
    public void reset() {
        sentMemory.reset();
    }

    @Override
    public long memoryBytes() {
        return 0;
    }

    @Override
    public void close() {
        // The memory is the encoder's.
    }
}
