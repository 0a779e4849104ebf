package org.resilire.benchmarks.transport;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.resilire.benchmarks.Against;
import org.resilire.benchmarks.Settings;
import org.resilire.benchmarks.yardstick.LibC;

/**
 * Batches over the agent's own transport, against TCP and against copying them once. The time of a send is that of the whole
 * link: flow control holds the sender back until the far side has taken what went before.
 */
public class SendBenchmark extends Settings {

    private static final int BATCH_BYTES = 64 << 10;
    private static final int SHORT_BYTES = Loopback.LONGEST_ECHO_BYTES;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment batch = arena.allocate(BATCH_BYTES, 64);
    private final MemorySegment copy = arena.allocate(BATCH_BYTES, 64);
    private final UnsafeBuffer batchBuffer = new UnsafeBuffer(batch.address(), BATCH_BYTES);
    private final ByteBuffer batchBytes = batch.asByteBuffer();
    private final ByteBuffer shortBytes = batch.asSlice(0, SHORT_BYTES).asByteBuffer();

    @TearDown
    public void tearDown() {
        arena.close();
    }

    /** The bound: the batch is copied at least once. */
    @Benchmark
    public void memcpy64KiB() {
        LibC.memcpy(copy, 0, batch, 0, BATCH_BYTES);
    }

    /** TCP. */
    @Benchmark
    @Against("memcpy64KiB")
    public void tcp64KiB(final Tcp tcp) throws IOException {
        tcp.link.send(batchBytes);
    }

    /** The agent's transport. */
    @Benchmark
    @Against({"tcp64KiB", "memcpy64KiB"})
    public void aeron64KiB(final Aeron aeron) {
        aeron.link.send(batchBuffer, BATCH_BYTES);
    }

    /** 64 B there and back over TCP. */
    @Benchmark
    public int tcpRoundTrip(final Tcp tcp) throws IOException {
        return tcp.link.roundTrip(shortBytes);
    }

    /** 64 B there and back, as an epoch's end and its acknowledgement. */
    @Benchmark
    @Against("tcpRoundTrip")
    public long aeronRoundTrip(final Aeron aeron) {
        return aeron.link.roundTrip(batchBuffer, SHORT_BYTES);
    }

    /** The agent's transport. */
    @State(Scope.Thread)
    public static class Aeron {

        private Loopback link;

        @Setup
        public void setUp() {
            link = new Loopback();
        }

        @TearDown
        public void tearDown() {
            link.close();
        }
    }

    /** A TCP connection. */
    @State(Scope.Thread)
    public static class Tcp {

        private TcpLoopback link;

        @Setup
        public void setUp() {
            link = new TcpLoopback();
        }

        @TearDown
        public void tearDown() throws IOException {
            link.close();
        }
    }
}
