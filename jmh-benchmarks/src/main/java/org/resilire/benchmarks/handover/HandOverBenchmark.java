package org.resilire.benchmarks.handover;

import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.agrona.concurrent.BusySpinIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.OneToOneConcurrentArrayQueue;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.resilire.benchmarks.Against;
import org.resilire.benchmarks.Settings;
import org.resilire.benchmarks.capture.Drain;
import org.resilire.epoch.CaptureChunk;
import org.resilire.epoch.CapturePipe;
import org.resilire.epoch.EpochWriter;
import org.resilire.epoch.ModeParts;
import org.resilire.epoch.ReplicationMode;
import org.resilire.linux.AnonymousMemory;
import org.resilire.simd.BlockKernels;
import org.resilire.wire.sbe.EpochKind;

/**
 * What it costs to hand something to another stage: there and back on one thread (the instructions alone), and between two
 * threads (with what the cores say to each other). The yardstick is Agrona's plain queue.
 */
public class HandOverBenchmark extends Settings {

    private static final int CAPACITY = 64;
    private static final int RING_BYTES = 64 << 10;
    private static final int MESSAGE_BYTES = 64;
    private static final int MESSAGE_TYPE = 1;
    private static final int CHUNK_BYTES = 4 << 10;
    private static final int PAGE_BYTES = 4 << 10;
    private static final long WAIT_NANOS = 1_000;

    private final OneToOneConcurrentArrayQueue<Object> queue = new OneToOneConcurrentArrayQueue<>(CAPACITY);
    private final Object element = new Object();
    private final RingBuffer oneToOne = new OneToOneRingBuffer(ringMemory());
    private final RingBuffer manyToOne = new ManyToOneRingBuffer(ringMemory());
    private final UnsafeBuffer message = new UnsafeBuffer(ByteBuffer.allocateDirect(MESSAGE_BYTES));
    private long received;
    private final MessageHandler handler = (type, buffer, index, length) -> received += length;

    private static UnsafeBuffer ringMemory() {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(RING_BYTES + RingBufferDescriptor.TRAILER_LENGTH, 64));
    }

    /** A reference into a bounded queue and out of it. */
    @Benchmark
    public Object arrayQueue() {
        queue.offer(element);
        return queue.poll();
    }

    /** 64 bytes into a ring for one writer and out of it. */
    @Benchmark
    @Against("arrayQueue")
    public long oneToOneRing() {
        oneToOne.write(MESSAGE_TYPE, message, 0, MESSAGE_BYTES);
        oneToOne.read(handler);
        return received;
    }

    /** 64 bytes into a ring for several writers and out of it. */
    @Benchmark
    @Against("arrayQueue")
    public long manyToOneRing() {
        manyToOne.write(MESSAGE_TYPE, message, 0, MESSAGE_BYTES);
        manyToOne.read(handler);
        return received;
    }

    /** A chunk claimed, published, taken and given back: two queues there and back. */
    @Benchmark
    @Against("arrayQueue")
    public long capturePipe(final Pipe pipe) {
        pipe.writeEpoch();
        final CaptureChunk chunk = pipe.pipe.poll();
        pipe.pipe.recycle(chunk);
        return chunk.epoch();
    }

    /** Chunks to another thread that gives them back: the rate, as time of one. */
    @Benchmark
    public void capturePipeToAnotherThread(final DrainedPipe pipe) {
        pipe.writeEpoch();
    }

    /** A reference to another thread and back. */
    @Benchmark
    public Object arrayQueueRoundTrip(final Echo echo) {
        return echo.roundTrip(element);
    }

    /** A pipe that this thread empties. */
    @State(Scope.Thread)
    public static class Pipe {

        final CapturePipe pipe = new CapturePipe(CAPACITY, CHUNK_BYTES, new SleepingIdleStrategy(WAIT_NANOS));
        private final AnonymousMemory nothing = AnonymousMemory.reserve("a guest without pages", PAGE_BYTES);
        private final ModeParts mode =
                new ModeParts(ReplicationMode.remus(), nothing.segment(), BlockKernels.preferred());
        private final EpochWriter writer = new EpochWriter(pipe, mode, true);
        private long epoch;

        /** An epoch without content: one chunk, the end mark. */
        void writeEpoch() {
            writer.begin(++epoch, EpochKind.SYNCHRONISATION);
            writer.end();
        }

        @TearDown
        public void tearDown() {
            pipe.close();
            mode.close();
            nothing.close();
        }
    }

    /** A pipe that another thread empties. */
    @State(Scope.Thread)
    public static class DrainedPipe extends Pipe {

        private Drain drain;

        @Setup
        public void setUp() {
            drain = new Drain(pipe);
        }

        @Override
        @TearDown
        public void tearDown() {
            drain.close();
            super.tearDown();
        }
    }

    /** A thread that sends back what it gets. */
    @State(Scope.Thread)
    public static class Echo {

        private final OneToOneConcurrentArrayQueue<Object> there = new OneToOneConcurrentArrayQueue<>(CAPACITY);
        private final OneToOneConcurrentArrayQueue<Object> back = new OneToOneConcurrentArrayQueue<>(CAPACITY);
        private volatile boolean ended;
        private Thread thread;

        @Setup
        public void setUp() {
            thread = Thread.ofPlatform().daemon().name("echo").start(this::run);
        }

        private void run() {
            final IdleStrategy idle = new BusySpinIdleStrategy();
            while (!ended) {
                final Object got = there.poll();
                if (got == null) {
                    idle.idle();
                } else {
                    back.offer(got);
                }
            }
        }

        Object roundTrip(final Object sent) {
            there.offer(sent);
            Object got = back.poll();
            while (got == null) {
                Thread.onSpinWait();
                got = back.poll();
            }
            return got;
        }

        @TearDown
        public void tearDown() throws InterruptedException {
            ended = true;
            thread.join();
        }
    }
}
