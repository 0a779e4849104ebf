package org.resilire.fgbi;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.resilire.codec.PageRecord;
import org.resilire.guest.GuestMemory;
import org.resilire.linux.AnonymousMemory;
import org.resilire.simd.BlockKernels;
import org.resilire.wire.Checksum;

/**
 * Compares hashes of blocks with those of the blocks as they were last captured, as the paper does. 8 bytes a block instead of the
 * block: 1/8 (64 B) to 1/32 (256 B) of the guest's memory. Two contents with the same 64-bit hash are taken for the same: that
 * change never reaches the backup, and nothing notices but a comparison of all memory.
 */
public final class HashBlockIdentifier implements BlockIdentifier {

    private final MemorySegment guest;
    private final BlockKernels kernels;
    private final int blockBytes;
    private final int blocksPerPage;
    private final long maskOfBlock;
    private final int maskBitsPerBlock;
    private final long hashOfZeroes;
    private final AnonymousMemory hashMemory;
    private final MemorySegment hashes;

    /** @param guest whole pages */
    public HashBlockIdentifier(final MemorySegment guest, final BlockKernels kernels, final BlockSize blockSize) {
        this.guest = guest;
        this.kernels = kernels;
        blockBytes = blockSize.bytes();
        blocksPerPage = blockSize.perPage();
        maskBitsPerBlock = blockBytes / PageRecord.BLOCK_BYTES;
        maskOfBlock = (1L << maskBitsPerBlock) - 1;
        hashMemory = AnonymousMemory.reserveHuge(
                "hashes of the guest's blocks", guest.byteSize() / GuestMemory.PAGE_BYTES * blocksPerPage * Long.BYTES);
        hashes = hashMemory.segment();
        try (Arena arena = Arena.ofConfined()) {
            hashOfZeroes = Checksum.hash(arena.allocate(blockBytes), 0, blockBytes);
        }
    }

    @Override
    public int capture(final long page, final MemorySegment out, final long outOffset) {
        final long payload = outOffset + PageRecord.HEADER_BYTES;
        // The copy is hashed, not the guest's page: what is remembered is what is sent, also if the guest writes
        // meanwhile.
        MemorySegment.copy(guest, page << GuestMemory.PAGE_SHIFT, out, payload, GuestMemory.PAGE_BYTES);
        final long mask = packChanged(page * blocksPerPage * Long.BYTES, out, payload);
        return CapturedRecord.finish(page, mask, kernels, out, outOffset);
    }

    /** Moves the blocks that changed to the front of the copy, and returns which they are. */
    private long packChanged(final long hashesOffset, final MemorySegment out, final long payload) {
        long mask = 0;
        long to = payload;
        for (int block = 0; block < blocksPerPage; block++) {
            final long from = payload + (long) block * blockBytes;
            final long hashOffset = hashesOffset + (long) block * Long.BYTES;
            // So that memory that was never written says what a new session's peer holds: zeroes.
            final long hash = Checksum.hash(out, from, blockBytes) ^ hashOfZeroes;
            if (hash != hashes.get(JAVA_LONG, hashOffset)) {
                hashes.set(JAVA_LONG, hashOffset, hash);
                mask |= maskOfBlock << (block * maskBitsPerBlock);
                if (to != from) {
                    MemorySegment.copy(out, from, out, to, blockBytes);
                }
                to += blockBytes;
            }
        }
        return mask;
    }

    @Override
    public void reset() {
        hashMemory.discard(0, hashMemory.lengthBytes());
    }

    @Override
    public long memoryBytes() {
        return hashMemory.lengthBytes();
    }

    @Override
    public void close() {
        hashMemory.close();
    }
}
