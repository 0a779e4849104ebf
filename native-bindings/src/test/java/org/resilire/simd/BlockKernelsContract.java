package org.resilire.simd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.linux.Allocation;

/** What every implementation must do; expectations are computed byte by byte. */
@Timeout(120)
abstract class BlockKernelsContract {
    private static final int PAGE = BlockKernels.PAGE_BYTES;
    private static final int BLOCK = BlockKernels.BLOCK_BYTES;
    private static final int BLOCKS = BlockKernels.BLOCKS_PER_PAGE;

    private static final long CAPTURED_WHILE_WRITING = 200_000;

    private final BlockKernels kernels = kernels();

    abstract BlockKernels kernels();

    @Test
    void shouldSeeEverySingleBit() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = arena.allocate(PAGE);
            MemorySegment b = arena.allocate(PAGE);
            for (int bit = 0; bit < PAGE * 8; bit++) {
                b.set(JAVA_BYTE, bit / 8, (byte) (1 << (bit % 8)));
                assertEquals(1L << (bit / 8 / BLOCK), kernels.changedBlocks(a, 0, b, 0), "bit " + bit);
                assertFalse(kernels.isZero(b, 0, PAGE), "bit " + bit);
                b.set(JAVA_BYTE, bit / 8, (byte) 0);
            }
            assertEquals(0, kernels.changedBlocks(a, 0, b, 0));
            assertTrue(kernels.isZero(b, 0, PAGE));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 63, 64, 129})
    void shouldCaptureAnyMaskAtAnyOffset(int offset) {
        SplittableRandom random = new SplittableRandom(offset);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment guest = arena.allocate(PAGE + 256);
            MemorySegment shadow = arena.allocate(PAGE + 256);
            MemorySegment out = arena.allocate(PAGE + 256);
            for (int round = 0; round < 500; round++) {
                long mask = mask(random, round);
                byte[] before = bytes(random, PAGE);
                byte[] now = change(before, mask, random);
                copy(before, shadow, offset * 2 % 130);
                copy(now, guest, offset);
                out.fill((byte) 0x5a);
                assertEquals(mask, kernels.changedBlocks(guest, offset, shadow, offset * 2 % 130));
                assertEquals(mask, kernels.copyChanged(guest, offset, shadow, offset * 2 % 130, out, offset));
                assertEquals(-1, mismatch(pack(now, mask), out, offset), "copied blocks");
                assertEquals(-1, mismatch(before, shadow, offset * 2 % 130), "the shadow");
                out.fill((byte) 0x5a);
                assertEquals(mask, kernels.captureChanged(guest, offset, shadow, offset * 2 % 130, out, offset));
                assertEquals(0, kernels.changedBlocks(guest, offset, shadow, offset * 2 % 130));
                assertEquals(-1, mismatch(pack(now, mask), out, offset), "packed blocks");
                long end = offset + (long) Long.bitCount(mask) * BLOCK;
                for (long i = end; i < out.byteSize(); i++) {
                    assertEquals(0x5a, out.get(JAVA_BYTE, i), "written behind the end, at " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 8, 31, 32, 63, 64, 65, 127, 255, 256, 257, 1000, 4095, 4096, 10_007})
    void shouldXorAndSeekZerosOfAnyLength(int lengthBytes) {
        SplittableRandom random = new SplittableRandom(lengthBytes);
        byte[] first = bytes(random, lengthBytes);
        byte[] second = bytes(random, lengthBytes);
        byte[] expected = new byte[lengthBytes];
        for (int i = 0; i < lengthBytes; i++) {
            expected[i] = (byte) (first[i] ^ second[i]);
        }
        try (GuardedMemory one = new GuardedMemory(16384);
                GuardedMemory two = new GuardedMemory(16384);
                GuardedMemory three = new GuardedMemory(16384)) {
            MemorySegment a = one.flushWithEnd(first);
            MemorySegment b = two.flushWithStart(second);
            MemorySegment out = three.flushWithEnd(new byte[lengthBytes]);
            kernels.xor(a, 0, b, 0, out, 0, lengthBytes);
            assertEquals(-1, mismatch(expected, out, 0));
            kernels.xor(a, 0, b, 0, a, 0, lengthBytes);
            assertEquals(-1, mismatch(expected, a, 0), "in place");
            out.fill((byte) 0);
            assertTrue(kernels.isZero(out, 0, lengthBytes));
            for (int i = 0; i < lengthBytes; i += 1 + i / 64) {
                out.set(JAVA_BYTE, i, (byte) 0x80);
                assertFalse(kernels.isZero(out, 0, lengthBytes), "byte " + i);
                assertTrue(kernels.isZero(out, i + 1L, lengthBytes - i - 1L), "behind byte " + i);
                assertTrue(kernels.isZero(out, 0, i), "before byte " + i);
                out.set(JAVA_BYTE, i, (byte) 0);
            }
        }
    }

    @Test
    void shouldStayWithinThePage() {
        SplittableRandom random = new SplittableRandom(3);
        try (GuardedMemory one = new GuardedMemory(PAGE);
                GuardedMemory two = new GuardedMemory(PAGE);
                GuardedMemory three = new GuardedMemory(2 * PAGE)) {
            for (int round = 0; round < 200; round++) {
                long mask = mask(random, round);
                byte[] before = bytes(random, PAGE);
                byte[] now = change(before, mask, random);
                MemorySegment guest = one.flushWithEnd(now);
                MemorySegment shadow = two.flushWithStart(before);
                MemorySegment out = three.flushWithEnd(new byte[Long.bitCount(mask) * BLOCK]);
                assertEquals(mask, kernels.copyChanged(guest, 0, shadow, 0, out, 0));
                assertEquals(-1, mismatch(pack(now, mask), out, 0));
                out.fill((byte) 0);
                assertEquals(mask, kernels.captureChanged(guest, 0, shadow, 0, out, 0));
                assertEquals(-1, mismatch(pack(now, mask), out, 0));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {21, 22, 23, 24})
    void shouldTurnBlocksIntoLanesAndBackWithinTheirBounds(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        try (GuardedMemory one = new GuardedMemory(PAGE);
                GuardedMemory two = new GuardedMemory(PAGE);
                GuardedMemory three = new GuardedMemory(2 * PAGE);
                GuardedMemory four = new GuardedMemory(2 * PAGE);
                GuardedMemory five = new GuardedMemory(PAGE)) {
            for (int round = 0; round < 400; round++) {
                long packed = mask(random, round);
                long wanted = round % 3 == 0 ? packed : packed & random.nextLong();
                byte[] before = bytes(random, PAGE);
                byte[] now = changeLanes(before, packed, random);
                byte[] expected = lanes(before, now, wanted);
                byte[] after = merge(before, now, wanted);
                MemorySegment blocks = one.flushWithEnd(pack(now, packed));
                MemorySegment previous = random.nextBoolean() ? two.flushWithEnd(before) : two.flushWithStart(before);
                MemorySegment out = three.flushWithEnd(new byte[BlockKernels.largestLanesBytes(Long.bitCount(wanted))]);
                out.fill((byte) 0x5a);
                assertEquals(expected.length, kernels.xorLanes(blocks, 0, packed, wanted, previous, 0, out, 0));
                assertEquals(-1, mismatch(expected, out, 0), "lanes");
                assertEquals(-1, mismatch(after, previous, 0), "the new version");
                MemorySegment in = four.flushWithEnd(expected);
                MemorySegment page = random.nextBoolean() ? five.flushWithEnd(before) : five.flushWithStart(before);
                assertEquals(expected.length, kernels.applyLanes(in, 0, wanted, page, 0));
                assertEquals(-1, mismatch(after, page, 0), "the page they are applied to");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 63, 129})
    void shouldTurnBlocksIntoLanesAtAnyOffset(int offset) {
        SplittableRandom random = new SplittableRandom(offset);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment blocks = arena.allocate(PAGE + 256);
            MemorySegment previous = arena.allocate(PAGE + 256);
            MemorySegment page = arena.allocate(PAGE + 256);
            MemorySegment out = arena.allocate(2 * PAGE);
            for (int round = 0; round < 200; round++) {
                long mask = mask(random, round);
                byte[] before = bytes(random, PAGE);
                byte[] now = changeLanes(before, mask, random);
                copy(pack(now, mask), blocks, offset);
                copy(before, previous, offset * 2 % 130);
                copy(before, page, offset * 3 % 130);
                int length = kernels.xorLanes(blocks, offset, mask, mask, previous, offset * 2 % 130, out, offset);
                assertEquals(-1, mismatch(lanes(before, now, mask), out, offset));
                assertEquals(length, kernels.applyLanes(out, offset, mask, page, offset * 3 % 130));
                assertEquals(-1, mismatch(now, page, offset * 3 % 130));
            }
        }
    }

    @Test
    void shouldTellZeroBlocksAndEqualBlocksByEveryBit() {
        try (GuardedMemory one = new GuardedMemory(PAGE);
                GuardedMemory two = new GuardedMemory(BLOCK)) {
            MemorySegment zero = two.flushWithEnd(new byte[BLOCK]);
            for (int count = 0; count <= BLOCKS; count += 1 + count / 8) {
                MemorySegment blocks = one.flushWithEnd(new byte[count * BLOCK]);
                long all = count == BLOCKS ? -1 : (1L << count) - 1;
                assertEquals(all, kernels.zeroBlocks(blocks, 0, count));
                for (int bit = 0; bit < count * BLOCK * 8; bit += 1 + bit / 700) {
                    blocks.set(JAVA_BYTE, bit / 8, (byte) (1 << (bit % 8)));
                    int block = bit / 8 / BLOCK;
                    assertEquals(all & ~(1L << block), kernels.zeroBlocks(blocks, 0, count), "bit " + bit);
                    assertFalse(kernels.sameBlock(blocks, (long) block * BLOCK, zero, 0), "bit " + bit);
                    blocks.set(JAVA_BYTE, bit / 8, (byte) 0);
                    assertTrue(kernels.sameBlock(zero, 0, blocks, (long) block * BLOCK));
                }
            }
        }
    }

    @Test
    void shouldRefuseToLeaveTheSegment() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(PAGE);
            MemorySegment small = arena.allocate(PAGE - 1);
            page.fill((byte) 1);
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.changedBlocks(page, 0, small, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.changedBlocks(page, 1, page, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.captureChanged(page, 0, page, -1, page, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.copyChanged(page, 0, page, -1, page, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.zeroBlocks(small.fill((byte) 0), 0, BLOCKS));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.sameBlock(page, 0, small, PAGE - BLOCK));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.xorLanes(page, 0, -1, -1, small, 0, page, 0));
            MemorySegment allLanes = arena.allocate(PAGE).fill((byte) -1);
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.applyLanes(allLanes, 0, -1, page, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.applyLanes(allLanes, 0, 3, page, PAGE - 64));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.isZero(small.fill((byte) 0), 0, PAGE));
            assertThrows(IndexOutOfBoundsException.class, () -> kernels.xor(page, 0, page, 0, small, 0, PAGE));
        }
    }

    @Test
    void shouldSendAndKeepTheSameBytesWhileTheGuestWrites() throws InterruptedException {
        AtomicBoolean end = new AtomicBoolean();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment guest = arena.allocate(PAGE, 64);
            MemorySegment shadow = arena.allocate(PAGE, 64);
            MemorySegment replica = arena.allocate(PAGE, 64);
            MemorySegment out = arena.allocate(PAGE, 64);
            Thread writer = Thread.ofPlatform().start(() -> {
                SplittableRandom random = new SplittableRandom(5);
                while (!end.get()) {
                    guest.set(JAVA_BYTE, random.nextInt(PAGE), (byte) random.nextInt());
                }
            });
            try {
                long captured = 0;
                // The writer may have to wait for a CPU: the work is what counts, and the test has its own time limit.
                for (int round = 0; captured < CAPTURED_WHILE_WRITING; round++) {
                    long mask = kernels.captureChanged(guest, 0, shadow, 0, out, 0);
                    captured += Long.bitCount(mask);
                    unpack(out, mask, replica);
                    if (round % 16 == 0) {
                        assertEquals(-1, shadow.mismatch(replica), "shadow and replica differ");
                    }
                }
            } finally {
                end.set(true);
                writer.join();
            }
            kernels.captureChanged(guest, 0, shadow, 0, out, 0);
            assertEquals(-1, shadow.mismatch(guest), "a change was missed");
        }
    }

    @Test
    void shouldNotAllocateOnceWarm() {
        kernels.warmUp();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment guest = arena.allocate(PAGE, 64);
            MemorySegment shadow = arena.allocate(PAGE, 64);
            MemorySegment out = arena.allocate(2 * PAGE, 64);
            MemorySegment packed = arena.allocate(PAGE, 64);
            MemorySegment replica = arena.allocate(PAGE, 64);
            byte[] salt = {0};
            Allocation.assertNone(kernels.reason(), () -> {
                guest.set(JAVA_BYTE, salt[0] & 0xff, ++salt[0]);
                long mask = kernels.copyChanged(guest, 0, shadow, 0, packed, 0);
                kernels.zeroBlocks(packed, 0, Long.bitCount(mask));
                kernels.xorLanes(packed, 0, mask, mask & 0xf, shadow, 0, out, 0);
                kernels.applyLanes(out, 0, mask & 0xf, replica, 0);
                if (!kernels.sameBlock(guest, 64, replica, 64)) {
                    throw new AssertionError("the replica differs");
                }
                kernels.changedBlocks(guest, 0, shadow, 0);
                kernels.captureChanged(guest, 0, shadow, 0, out, 0);
                kernels.xor(guest, 0, shadow, 0, out, 0, PAGE);
                if (!kernels.isZero(out, 0, PAGE)) {
                    throw new AssertionError("the shadow differs");
                }
            });
        }
    }

    private static long mask(SplittableRandom random, int round) {
        return switch (round) {
            case 0 -> 0;
            case 1 -> -1;
            default -> round - 2 < BLOCKS ? 1L << (round - 2) : random.nextLong();
        };
    }

    private static byte[] bytes(SplittableRandom random, int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Changes one bit or everything in each block of the mask. */
    private static byte[] change(byte[] page, long mask, SplittableRandom random) {
        byte[] changed = page.clone();
        for (int block = 0; block < BLOCKS; block++) {
            if (((mask >>> block) & 1) != 0) {
                if (random.nextBoolean()) {
                    changed[block * BLOCK + random.nextInt(BLOCK)] ^= (byte) (1 << random.nextInt(8));
                } else {
                    for (int i = 0; i < BLOCK; i++) {
                        changed[block * BLOCK + i] ^= (byte) (1 + random.nextInt(255));
                    }
                }
            }
        }
        return changed;
    }

    /** Changes any of the lanes of each block of the mask, perhaps none. */
    private static byte[] changeLanes(byte[] page, long mask, SplittableRandom random) {
        byte[] changed = page.clone();
        for (int block = 0; block < BLOCKS; block++) {
            int lanes = random.nextInt(4) == 0 ? (random.nextBoolean() ? 0 : 0xff) : random.nextInt(256);
            for (int lane = 0; ((mask >>> block) & 1) != 0 && lane < 8; lane++) {
                if (((lanes >>> lane) & 1) != 0) {
                    changed[block * BLOCK + lane * 8 + random.nextInt(8)] ^= (byte) (1 << random.nextInt(8));
                }
            }
        }
        return changed;
    }

    /** What the lanes must be, byte by byte. */
    private static byte[] lanes(byte[] before, byte[] now, long wanted) {
        int masksBytes = (Long.bitCount(wanted) + 7) / 8 * 8;
        byte[] lanes = new byte[masksBytes + Long.bitCount(wanted) * BLOCK];
        int mask = 0;
        int to = masksBytes;
        for (int block = 0; block < BLOCKS; block++) {
            if (((wanted >>> block) & 1) == 0) {
                continue;
            }
            for (int lane = 0; lane < 8; lane++) {
                int at = block * BLOCK + lane * 8;
                if (!Arrays.equals(before, at, at + 8, now, at, at + 8)) {
                    lanes[mask] |= (byte) (1 << lane);
                    for (int i = 0; i < 8; i++) {
                        lanes[to++] = (byte) (before[at + i] ^ now[at + i]);
                    }
                }
            }
            mask++;
        }
        return Arrays.copyOf(lanes, to);
    }

    private static byte[] merge(byte[] before, byte[] now, long mask) {
        byte[] merged = before.clone();
        for (int i = 0; i < PAGE; i++) {
            merged[i] = ((mask >>> (i / BLOCK)) & 1) != 0 ? now[i] : before[i];
        }
        return merged;
    }

    private static byte[] pack(byte[] page, long mask) {
        byte[] packed = new byte[Long.bitCount(mask) * BLOCK];
        int to = 0;
        for (int block = 0; block < BLOCKS; block++) {
            if (((mask >>> block) & 1) != 0) {
                System.arraycopy(page, block * BLOCK, packed, to, BLOCK);
                to += BLOCK;
            }
        }
        return packed;
    }

    private static void unpack(MemorySegment packed, long mask, MemorySegment page) {
        long from = 0;
        for (long left = mask; left != 0; left &= left - 1) {
            MemorySegment.copy(packed, from, page, (long) Long.numberOfTrailingZeros(left) * BLOCK, BLOCK);
            from += BLOCK;
        }
    }

    private static void copy(byte[] from, MemorySegment to, long offset) {
        MemorySegment.copy(from, 0, to, JAVA_BYTE, offset, from.length);
    }

    private static long mismatch(byte[] expected, MemorySegment actual, long offset) {
        MemorySegment wanted = MemorySegment.ofArray(expected);
        return MemorySegment.mismatch(wanted, 0, expected.length, actual, offset, offset + expected.length);
    }
}
