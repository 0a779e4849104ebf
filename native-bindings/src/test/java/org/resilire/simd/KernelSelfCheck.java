package org.resilire.simd;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** Compares the preferred kernels of this JVM, whatever its flags, with the scalar ones. */
final class KernelSelfCheck {
    private static final int PAGE = BlockKernels.PAGE_BYTES;
    private static final int ROUNDS = 1_500;

    private KernelSelfCheck() {}

    public static void main(String[] arguments) {
        BlockKernels tested = BlockKernels.preferred();
        BlockKernels oracle = new ScalarBlockKernels();
        SplittableRandom random = new SplittableRandom(11);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment guest = arena.allocate(PAGE);
            MemorySegment[] shadow = {arena.allocate(PAGE), arena.allocate(PAGE)};
            MemorySegment[] out = {arena.allocate(PAGE), arena.allocate(PAGE)};
            int lanesBytes = BlockKernels.largestLanesBytes(BlockKernels.BLOCKS_PER_PAGE);
            MemorySegment[] sent = {arena.allocate(PAGE), arena.allocate(PAGE), arena.allocate(PAGE)};
            MemorySegment[] lanes = {arena.allocate(lanesBytes), arena.allocate(lanesBytes)};
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = random.nextInt(40); i > 0; i--) {
                    guest.set(JAVA_LONG, random.nextInt(PAGE / 8) * 8L, random.nextLong());
                }
                if (round % 7 == 0) {
                    guest.asSlice(random.nextInt(60) * 64L, 256).fill((byte) 0);
                }
                long mask = oracle.copyChanged(guest, 0, sent[0], 0, out[0], 0);
                require(tested.copyChanged(guest, 0, sent[1], 0, out[1], 0) == mask);
                require(out[0].mismatch(out[1]) < 0);
                int count = Long.bitCount(mask);
                require(tested.zeroBlocks(out[0], 0, count) == oracle.zeroBlocks(out[0], 0, count));
                int length = oracle.xorLanes(out[0], 0, mask, mask, sent[0], 0, lanes[0], 0);
                require(tested.xorLanes(out[1], 0, mask, mask, sent[1], 0, lanes[1], 0) == length);
                require(lanes[0].asSlice(0, length).mismatch(lanes[1].asSlice(0, length)) < 0);
                require(tested.applyLanes(lanes[0], 0, mask, sent[2], 0) == length);
                require(tested.sameBlock(guest, 64, sent[2], 64));
                for (MemorySegment version : sent) {
                    require(version.mismatch(guest) < 0);
                }
                long expected = oracle.captureChanged(guest, 0, shadow[0], 0, out[0], 0);
                require(tested.changedBlocks(guest, 0, shadow[1], 0) == expected);
                require(tested.captureChanged(guest, 0, shadow[1], 0, out[1], 0) == expected);
                require(shadow[0].mismatch(shadow[1]) < 0);
                require(out[0].mismatch(out[1]) < 0);
                tested.xor(guest, 0, shadow[0], 0, shadow[0], 0, PAGE);
                require(tested.isZero(shadow[0], 0, PAGE));
                oracle.captureChanged(guest, 0, shadow[0], 0, out[0], 0);
                out[1].copyFrom(out[0]);
            }
        }
        System.out.println(tested.reason() + ": agree");
    }

    private static void require(boolean condition) {
        if (!condition) {
            throw new AssertionError(
                    "the kernels disagree: " + BlockKernels.preferred().reason());
        }
    }
}
