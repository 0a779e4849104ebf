package org.resilire.net;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputGateTest {

    private static final int CAPACITY_BYTES = 4_096;

    private final OutputGate gate = new OutputGate(CAPACITY_BYTES);
    private final TestUplink sink = new TestUplink();

    @AfterEach
    void close() {
        gate.close();
    }

    @Test
    void shouldNotReleaseOutputBeforeItsEpochIsAcknowledged() {
        offer(1, 7);
        offer(2, 8);

        assertEquals(0, gate.release(6, sink));
        assertEquals(1, gate.release(7, sink));
        assertEquals(0, gate.release(7, sink));
        assertEquals(TestFrames.range(1, 2), TestFrames.numbers(sink.written));
        assertEquals(1, gate.release(8, sink));
        assertEquals(TestFrames.range(1, 3), TestFrames.numbers(sink.written));
    }

    @Test
    void shouldGoOnWithTheSameFrameAfterTheSinkBlocked() {
        for (int i = 0; i < 10; i++) {
            offer(i, 1);
        }
        sink.freeSlots = 4;
        assertEquals(4, gate.release(1, sink));
        assertEquals(0, gate.release(1, sink));
        assertTrue(gate.hasReleasable(1));
        sink.freeSlots = 100;
        assertEquals(6, gate.release(1, sink));
        assertEquals(TestFrames.range(0, 10), TestFrames.numbers(sink.written));
        assertFalse(gate.hasReleasable(1));
    }

    @Test
    void shouldReleaseNoMoreThanTheLimit() {
        for (int i = 0; i < 10; i++) {
            offer(i, 1);
        }
        assertEquals(3, gate.release(1, sink, 3));
        assertEquals(7, gate.heldFrames());
    }

    @Test
    void shouldDropAndCountWhenFull() {
        int taken = 0;
        while (offer(taken, 1)) {
            taken++;
        }
        assertFalse(offer(99, 1));
        assertEquals(2, gate.droppedFrames());
        assertEquals(taken, gate.heldFrames());
        assertEquals((long) taken * TestFrames.LENGTH_BYTES, gate.heldBytes());
        assertEquals(CAPACITY_BYTES / 80, taken, "60 bytes and a header of 16, rounded up to 16");
        assertEquals(taken, gate.releaseAll(sink));
        assertEquals(TestFrames.range(0, taken), TestFrames.numbers(sink.written));
        assertTrue(offer(taken, 2), "there is room again");
    }

    @Test
    void shouldForgetWhatIsDiscarded() {
        offer(1, 1);
        offer(2, 2);
        assertEquals(2, gate.discardAll());
        assertEquals(2, gate.discardedFrames());
        assertEquals(0, gate.releaseAll(sink));
        offer(3, 2);
        assertEquals(1, gate.releaseAll(sink));
        assertEquals(TestFrames.range(3, 4), TestFrames.numbers(sink.written));
    }

    @Test
    void shouldTakeAFrameAsLongAsTheRingWhereverItBegins() {
        final byte[] longest = new byte[CAPACITY_BYTES - FrameRing.HEADER_BYTES];
        for (int i = 0; i < 3; i++) {
            offer(i, 1);
            gate.releaseAll(sink);
            assertTrue(gate.offer(MemorySegment.ofArray(longest), 0, longest.length, 1));
            assertFalse(offer(9, 1));
            assertEquals(1, gate.releaseAll(sink));
        }
    }

    @Test
    void shouldRefuseACapacityThatIsNoPowerOfTwo() {
        assertThrows(IllegalArgumentException.class, () -> new OutputGate(5_000).close());
    }

    /** Against a queue of the JDK, with lengths and capacities that make it wrap around at every offset. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void shouldBehaveAsAQueue(final long seed) {
        final Random random = new Random(seed);
        final Queue<Held> model = new ArrayDeque<>();
        final int capacityBytes = 1 << (8 + random.nextInt(5));
        final byte[] content = new byte[capacityBytes];
        long epoch = 0;
        long dropped = 0;
        long wrapsAtLeast = 0;
        try (OutputGate tested = new OutputGate(capacityBytes)) {
            for (int step = 0; step < 20_000; step++) {
                if (random.nextInt(3) > 0) {
                    epoch += random.nextInt(2);
                    random.nextBytes(content);
                    final int lengthBytes = 1 + random.nextInt(capacityBytes / 4);
                    final int offset = random.nextInt(capacityBytes - lengthBytes);
                    final MemorySegment frames = MemorySegment.ofArray(content);
                    if (tested.offer(frames, offset, lengthBytes, epoch)) {
                        model.add(new Held(
                                epoch,
                                ByteBuffer.wrap(
                                        frames.asSlice(offset, lengthBytes).toArray(JAVA_BYTE))));
                        wrapsAtLeast += lengthBytes;
                    } else {
                        dropped++;
                    }
                } else {
                    sink.written.clear();
                    sink.freeSlots = random.nextInt(6);
                    final long upToEpoch = epoch - random.nextInt(3);
                    final int released = tested.release(upToEpoch, sink, 1 + random.nextInt(6));
                    assertEquals(sink.written.size(), released);
                    for (final byte[] frame : sink.written) {
                        final Held expected = model.remove();
                        assertTrue(expected.epoch() <= upToEpoch);
                        assertEquals(expected.frame(), ByteBuffer.wrap(frame));
                    }
                }
                assertEquals(model.size(), tested.heldFrames());
                assertEquals(
                        model.stream()
                                .mapToLong(held -> held.frame().remaining())
                                .sum(),
                        tested.heldBytes());
                assertEquals(dropped, tested.droppedFrames());
                assertEquals(!model.isEmpty() && model.peek().epoch() <= epoch - 1, tested.hasReleasable(epoch - 1));
            }
        }
        assertTrue(dropped > 0 && wrapsAtLeast > 20L * capacityBytes, "the test reaches both ends");
    }

    private boolean offer(final long number, final long epoch) {
        final byte[] frame = TestFrames.frame(number);
        return gate.offer(MemorySegment.ofArray(frame), 0, frame.length, epoch);
    }

    /** The bytes as a buffer, which compares them. */
    private record Held(long epoch, ByteBuffer frame) {}
}
