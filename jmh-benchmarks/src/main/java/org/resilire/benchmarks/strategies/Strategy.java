package org.resilire.benchmarks.strategies;

import java.lang.foreign.MemorySegment;
import org.resilire.fgbi.BlockIdentifier;
import org.resilire.fgbi.BlockSize;
import org.resilire.fgbi.DeferredShadowIdentifier;
import org.resilire.fgbi.HashBlockIdentifier;
import org.resilire.fgbi.SentMemory;
import org.resilire.fgbi.ShadowBlockIdentifier;
import org.resilire.fgbi.WholePageIdentifier;
import org.resilire.simd.BlockKernels;

/** The ways to find what changed in a page. */
public enum Strategy {
    /** Nothing is looked for: the page travels whole, as with Remus. */
    PAGE,
    /** Compared with a shadow, which is brought up to date in the same pass. */
    SHADOW,
    /** Compared with a shadow that the encoder brings up to date later. */
    DEFERRED_SHADOW,
    /** A hash for every 64 bytes. */
    HASH_64,
    /** A hash for every 128 bytes. */
    HASH_128,
    /** A hash for every 256 bytes. */
    HASH_256;

    /** @param sent as large as the guest; for the one that has no shadow of its own */
    BlockIdentifier create(final MemorySegment guest, final SentMemory sent, final BlockKernels kernels) {
        return switch (this) {
            case PAGE -> new WholePageIdentifier(guest, null, kernels);
            case SHADOW -> new ShadowBlockIdentifier(guest, kernels);
            case DEFERRED_SHADOW -> new DeferredShadowIdentifier(guest, sent, kernels, BlockSize.B64);
            case HASH_64 -> new HashBlockIdentifier(guest, kernels, BlockSize.B64);
            case HASH_128 -> new HashBlockIdentifier(guest, kernels, BlockSize.B128);
            case HASH_256 -> new HashBlockIdentifier(guest, kernels, BlockSize.B256);
        };
    }
}
