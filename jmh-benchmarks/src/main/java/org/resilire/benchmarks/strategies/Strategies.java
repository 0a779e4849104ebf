package org.resilire.benchmarks.strategies;

import org.resilire.fgbi.BlockIdentifier;
import org.resilire.guest.GuestMemory;
import org.resilire.simd.BlockKernels;

/** Identifiers as other benchmarks need them. */
public final class Strategies {

    private Strategies() {}

    /** The agent's default. */
    public static BlockIdentifier shadow(final GuestMemory guest) {
        final BlockKernels kernels = BlockKernels.preferred();
        kernels.warmUp();
        return Strategy.SHADOW.create(guest, kernels);
    }
}
