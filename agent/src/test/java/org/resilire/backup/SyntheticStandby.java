package org.resilire.backup;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.resilire.guest.GuestException;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.qemu.DeviceInventory;
import org.resilire.linux.MappedFile;
import org.resilire.synthetic.SyntheticGuest;

/** A standby without QEMU. It may be resumed only if memory and device state are those of one instant. */
final class SyntheticStandby implements Standby {

    static final String QEMU_VERSION = "9.9.9";
    static final String INVENTORY = "qemu " + QEMU_VERSION + "\nmachine synthetic\ncpus 1\n";

    /** What its methods are to do wrong. */
    volatile boolean failsToLoad;

    volatile boolean refusesToResume;
    volatile boolean diesResuming;

    volatile boolean failsToAnnounce;
    volatile boolean failsToAnswer;
    volatile boolean exited;

    /** Done by whoever loads it or lets it run, while it does. */
    volatile Runnable onLoading = () -> {};

    volatile Runnable onResumed = () -> {};

    volatile boolean isLoaded;
    volatile boolean isReleased;
    volatile boolean isRunning;
    volatile boolean isAnnounced;
    volatile boolean isClosed;
    /** Of the guest that it became. */
    volatile long stepsAtStart = -1;

    private final MappedFile ram;

    SyntheticStandby(final MappedFile ram) {
        this.ram = ram;
    }

    @Override
    public DeviceInventory inventory() {
        if (failsToAnswer) {
            throw new GuestException("the synthetic standby does not answer");
        }
        return DeviceInventory.parse(INVENTORY);
    }

    @Override
    public void load(final MemorySegment state, final int lengthBytes) {
        if (isLoaded) {
            throw new IllegalStateException("loaded twice");
        }
        isLoaded = true;
        if (failsToLoad) {
            throw new GuestException("the synthetic standby does not take its state");
        }
        onLoading.run();
        final long steps = SyntheticGuest.stepsOf(state, lengthBytes);
        final byte[] expected = SyntheticGuest.memoryAfter(steps, ram.lengthBytes() / GuestMemory.PAGE_BYTES);
        if (!Arrays.equals(expected, ram.segment().toArray(ValueLayout.JAVA_BYTE))) {
            throw new AssertionError("the replica is not the memory of a guest after " + steps + " steps");
        }
        stepsAtStart = steps;
    }

    @Override
    public boolean isLoaded() {
        return stepsAtStart >= 0;
    }

    @Override
    public void release() {
        isReleased = true;
    }

    @Override
    public void kill() {
        isRunning = false;
        isClosed = true;
    }

    @Override
    public void resume() {
        if (refusesToResume) {
            throw new GuestException("the synthetic standby does not go on") {
                private static final long serialVersionUID = 1L;

                @Override
                public boolean isRefusal() {
                    return true;
                }
            };
        }
        if (diesResuming) {
            throw new GuestException("the synthetic standby ended");
        }
        if (stepsAtStart < 0 || isClosed) {
            throw new AssertionError("resumed without a state");
        }
        isRunning = true;
        onResumed.run();
    }

    @Override
    public void announce() {
        if (failsToAnnounce) {
            throw new GuestException("the synthetic standby does not announce");
        }
        isAnnounced = true;
    }

    @Override
    public boolean hasExited() {
        return exited;
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
