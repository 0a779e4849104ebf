package org.resilire.net;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.resilire.linux.FrameBatch;
import org.resilire.linux.UnixDatagramSocket;

/** Frames that carry a number, and waiting with an end. */
final class TestFrames {

    static final int LENGTH_BYTES = 60;
    private static final long TIMEOUT_NANOS = Duration.ofSeconds(20).toNanos();

    private static final long LOOK_AGAIN_NANOS = 10_000;

    private TestFrames() {}

    static byte[] frame(final long number) {
        return ByteBuffer.allocate(LENGTH_BYTES).putLong(number).array();
    }

    static long number(final byte[] frame) {
        return ByteBuffer.wrap(frame).getLong();
    }

    static List<Long> numbers(final List<byte[]> frames) {
        return frames.stream().map(TestFrames::number).toList();
    }

    static List<Long> range(final long from, final long until) {
        return LongStream.range(from, until).boxed().toList();
    }

    /** Sends one frame, waiting while the other side takes none. */
    static void send(final UnixDatagramSocket socket, final FrameBatch batch, final byte[] frame) {
        batch.memory().asSlice(0, frame.length).asByteBuffer().put(frame);
        batch.frameLengthBytes(0, frame.length);
        await(() -> socket.send(batch, 0, 1) == 1);
    }

    /** The numbers of those that wait, as many as the batch takes. */
    static List<Long> receive(final UnixDatagramSocket socket, final FrameBatch batch) {
        final List<Long> numbers = new ArrayList<>();
        final int count = socket.receive(batch);
        for (int i = 0; i < count; i++) {
            numbers.add(batch.memory()
                    .asSlice(batch.frameOffset(i), Long.BYTES)
                    .asByteBuffer()
                    .getLong());
        }
        return numbers;
    }

    static void await(final BooleanSupplier condition) {
        final long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("did not happen in time");
            }
            // Leaves the processor to those whom it waits for.
            LockSupport.parkNanos(LOOK_AGAIN_NANOS);
        }
    }
}
