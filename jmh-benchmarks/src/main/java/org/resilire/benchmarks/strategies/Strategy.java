package org.resilire.benchmarks.strategies;

import org.resilire.fgbi.BlockIdentifier;
import org.resilire.fgbi.ShadowBlockIdentifier;
import org.resilire.guest.GuestMemory;
import org.resilire.simd.BlockKernels;

/** The ways to find what changed in a page. */
public enum Strategy {
    /** Compared with a shadow, which is brought up to date in the same pass. */
    SHADOW {
        @Override
        BlockIdentifier create(final GuestMemory guest, final BlockKernels kernels) {
            return new ShadowBlockIdentifier(guest, kernels);
        }
    };

    abstract BlockIdentifier create(GuestMemory guest, BlockKernels kernels);
}
