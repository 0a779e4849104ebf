package org.resilire.synthetic;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.resilire.guest.DirtyTracker;
import org.resilire.guest.Guest;
import org.resilire.guest.GuestException;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.tracking.ComparingTracker;
import org.resilire.net.GateMode;
import org.resilire.net.OutputEpochs;

/**
 * A guest without QEMU: one thread that makes a step at a time. Step <i>n</i> writes a number to a place, both functions of
 * <i>n</i>, then counts itself in the first page and sends a frame. So the memory of any instant can be computed from the count
 * alone, and so can what a replica must be.
 */
public final class SyntheticGuest implements Guest {

    public static final int DEVICE_STATE_BYTES = 2 * Long.BYTES;

    private static final long DEVICE_MAGIC = 0x5359_4e54_4845_5449L;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final int STEPS_AT_A_TIME = 5;
    private static final long REST_NANOS = 100_000;

    private final SyntheticMemory memory;
    private final DirtyTracker tracker;
    private final OutputEpochs output;
    private final Thread processor = Thread.ofPlatform().name("synthetic-guest").unstarted(this::run);

    /** Of the frames that were held: epoch to the last step that sent one. */
    private final ConcurrentSkipListMap<Long, Long> heldSteps = new ConcurrentSkipListMap<>();

    /** Told of each step, under the guest's monitor; set while holding it. */
    public LongConsumer onStep = step -> {};

    private long steps;
    private boolean paused;
    private boolean stoppedForGood;
    private boolean saving;
    private int savedStates;
    private int recoveriesAskedFor;
    private volatile Runnable onStoppedForGood = () -> {};
    private volatile boolean exited;
    private volatile boolean mute;
    private volatile boolean closed;
    private volatile long releasedByPassing;

    public SyntheticGuest(final Path ramFile, final long pages, final OutputEpochs output) {
        this.memory = SyntheticMemory.ofGuest(ramFile, pages);
        this.tracker = new ComparingTracker(pages);
        this.output = output;
    }

    public SyntheticGuest start() {
        processor.start();
        return this;
    }

    private void run() {
        while (!exited && !closed) {
            synchronized (this) {
                for (int i = 0; i < STEPS_AT_A_TIME && !paused; i++) {
                    step();
                }
            }
            LockSupport.parkNanos(REST_NANOS);
        }
    }

    private void step() {
        steps++;
        onStep.accept(steps);
        final long pages = memory.memory().pageCount();
        memory.bytes().set(LONG, placeOf(steps, pages), valueOf(steps));
        memory.bytes().set(LONG, 0, steps);
        // As the guest's network does: epoch and mode are read after the frame was sent.
        final long epoch = output.currentEpoch();
        if (output.mode() == GateMode.HOLD) {
            heldSteps.merge(epoch, steps, Math::max);
        } else if (output.mode() == GateMode.PASS) {
            releasedByPassing = steps;
        }
    }

    private static long placeOf(final long step, final long pages) {
        final long places = (pages - 1) * GuestMemory.PAGE_BYTES / Long.BYTES;
        return GuestMemory.PAGE_BYTES + Math.floorMod(valueOf(step) ^ step << 17, places) * Long.BYTES;
    }

    private static long valueOf(final long step) {
        long value = step * 0x9E3779B97F4A7C15L;
        value = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
        return value ^ value >>> 27;
    }

    /** The memory of a guest that made so many steps. */
    public static byte[] memoryAfter(final long steps, final long pages) {
        final byte[] expected = new byte[(int) (pages * GuestMemory.PAGE_BYTES)];
        final MemorySegment segment = MemorySegment.ofArray(expected);
        for (long step = 1; step <= steps; step++) {
            segment.set(LONG, placeOf(step, pages), valueOf(step));
        }
        segment.set(LONG, 0, steps);
        return expected;
    }

    public static void writeDeviceState(final MemorySegment into, final long steps) {
        into.set(LONG, 0, DEVICE_MAGIC);
        into.set(LONG, Long.BYTES, steps);
    }

    /** How many steps the guest of a device state had made. */
    public static long stepsOf(final MemorySegment deviceState, final int lengthBytes) {
        if (lengthBytes != DEVICE_STATE_BYTES || deviceState.get(LONG, 0) != DEVICE_MAGIC) {
            throw new GuestException("this is no device state of a synthetic guest");
        }
        return deviceState.get(LONG, Long.BYTES);
    }

    /** The step count in the first page of a memory. */
    public static long stepsIn(final MemorySegment memory) {
        return memory.get(LONG, 0);
    }

    /** The last step whose frame leaves once this epoch is acknowledged; 0 if there is none. */
    public long lastHeldStep(final long upToEpoch) {
        final Map.Entry<Long, Long> entry = heldSteps.floorEntry(upToEpoch);
        return entry == null ? 0 : entry.getValue();
    }

    /** The last step whose frame was not held at all. */
    public long lastPassedStep() {
        return releasedByPassing;
    }

    public synchronized long steps() {
        return steps;
    }

    /** How often the device state was saved, that is: how many checkpoints were made. */
    public synchronized int savedStates() {
        return savedStates;
    }

    public synchronized int recoveriesAskedFor() {
        return recoveriesAskedFor;
    }

    @Override
    public synchronized boolean isPaused() {
        return paused;
    }

    public synchronized boolean isStoppedForGood() {
        return stoppedForGood;
    }

    /** From here on its process answers nothing, or answers again. */
    public void mute(final boolean isMute) {
        mute = isMute;
    }

    /** Done by whoever stops the guest for good, while it does. */
    public void onStoppedForGood(final Runnable what) {
        onStoppedForGood = what;
    }

    /** Ends the guest as if its process were killed. */
    public void kill() {
        exited = true;
    }

    @Override
    public GuestMemory memory() {
        return memory.memory();
    }

    @Override
    public DirtyTracker dirtyTracker() {
        return tracker;
    }

    @Override
    public synchronized void pause() {
        requireAlive();
        paused = true;
    }

    @Override
    public synchronized void beginDeviceStateSave() {
        requireAlive();
        if (!paused) {
            throw new IllegalStateException("a guest that runs has no device state");
        }
        saving = true;
    }

    @Override
    public synchronized int finishDeviceStateSave(final MemorySegment into) {
        requireAlive();
        if (!saving || !paused) {
            throw new IllegalStateException("nothing is being saved");
        }
        saving = false;
        savedStates++;
        writeDeviceState(into, steps);
        return DEVICE_STATE_BYTES;
    }

    @Override
    public synchronized void resume() {
        requireAlive();
        paused = stoppedForGood;
    }

    @Override
    public synchronized boolean recover() {
        recoveriesAskedFor++;
        if (exited || mute) {
            return false;
        }
        paused = stoppedForGood;
        return true;
    }

    @Override
    public synchronized void stopForGood() {
        onStoppedForGood.run();
        stoppedForGood = true;
        paused = true;
    }

    @Override
    public synchronized void takeBack() {
        stoppedForGood = false;
    }

    private void requireAlive() {
        if (exited) {
            throw new GuestException("the synthetic guest has ended");
        }
        if (mute) {
            throw new GuestException("the synthetic guest does not answer");
        }
    }

    @Override
    public boolean hasExited() {
        return exited;
    }

    @Override
    public void close() {
        closed = true;
        try {
            processor.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        memory.close();
    }
}
