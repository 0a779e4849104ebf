package org.resilire.benchmarks.handover;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.resilire.benchmarks.Against;
import org.resilire.benchmarks.Settings;
import org.resilire.benchmarks.yardstick.LibC;
import org.resilire.net.FrameSink;
import org.resilire.net.OutputGate;

/** What holding a frame of the guest costs until its epoch is acknowledged, against copying it once. Times are those of a frame. */
public class GateBenchmark extends Settings {

    private static final int FRAMES = 64;

    /** The largest Ethernet frame and the smallest. */
    @Param({"1514", "60"})
    int frameBytes;

    private Arena arena;
    private MemorySegment frames;
    private MemorySegment held;
    private OutputGate gate;
    private long epoch;
    private long seen;
    private final FrameSink sink = this::write;

    @Setup
    public void setUp() {
        arena = Arena.ofShared();
        frames = arena.allocate((long) FRAMES * frameBytes, 64);
        held = arena.allocate((long) FRAMES * frameBytes, 64);
        gate = new OutputGate(OutputGate.DEFAULT_CAPACITY_BYTES);
    }

    @TearDown
    public void tearDown() {
        gate.close();
        arena.close();
    }

    /** The bound. */
    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public void memcpy() {
        for (int i = 0; i < FRAMES; i++) {
            final long at = (long) i * frameBytes;
            LibC.memcpy(held, at, frames, at, frameBytes);
        }
    }

    /** Holds frames, then lets them leave. */
    @Benchmark
    @OperationsPerInvocation(FRAMES)
    @Against("memcpy")
    public long holdAndRelease() {
        epoch++;
        for (int i = 0; i < FRAMES; i++) {
            gate.offer(frames, (long) i * frameBytes, frameBytes, epoch);
        }
        gate.release(epoch, sink);
        return seen;
    }

    private boolean write(final MemorySegment memory, final long offset, final int lengthBytes) {
        seen += offset + lengthBytes;
        return true;
    }
}
