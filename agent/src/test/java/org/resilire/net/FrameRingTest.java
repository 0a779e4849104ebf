package org.resilire.net;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.linux.FrameBatch;

class FrameRingTest {

    private static final int CAPACITY_BYTES = 1_024;
    private static final int MAX_FRAME_BYTES = 200;

    /** Never empty for long, so that frames lie across the end of the memory again and again. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldShowTheOldestFramesWithoutRemovingThem(final long seed) {
        final Random random = new Random(seed);
        final Queue<ByteBuffer> model = new ArrayDeque<>();
        final byte[] content = new byte[MAX_FRAME_BYTES];
        int peeked = 0;
        try (FrameRing ring = new FrameRing(CAPACITY_BYTES);
                FrameBatch batch = new FrameBatch(5, MAX_FRAME_BYTES)) {
            for (int step = 0; step < 20_000; step++) {
                random.nextBytes(content);
                final int lengthBytes = 1 + random.nextInt(MAX_FRAME_BYTES);
                if (ring.offer(MemorySegment.ofArray(content), 0, lengthBytes, 0)) {
                    model.add(ByteBuffer.wrap(content.clone(), 0, lengthBytes));
                    continue;
                }
                final int count = ring.peek(batch);
                assertEquals(Math.min(model.size(), batch.capacity()), count);
                int i = 0;
                for (final ByteBuffer expected : model) {
                    if (i < count) {
                        assertEquals(expected, frame(batch, i));
                        i++;
                    }
                }
                for (int removed = random.nextInt(count + 1); removed > 0; removed--) {
                    ring.removeHead();
                    model.remove();
                }
                peeked += count;
                assertEquals(model.size(), ring.frameCount());
            }
        }
        assertTrue(peeked > 1_000);
    }

    private static ByteBuffer frame(final FrameBatch batch, final int index) {
        return ByteBuffer.wrap(batch.memory()
                .asSlice(batch.frameOffset(index), batch.frameLengthBytes(index))
                .toArray(JAVA_BYTE));
    }
}
