package org.resilire.backup;

import java.lang.foreign.MemorySegment;
import org.resilire.guest.qemu.DeviceInventory;

/**
 * Waits over the replica until it is told to go on as the guest. Its methods throw {@link org.resilire.guest.GuestException} if
 * it does not do as asked. Used by the standby's thread; {@link #hasExited()} may be asked by any.
 */
interface Standby extends AutoCloseable {

    /** What it consists of, to be compared with the primary. */
    DeviceInventory inventory();

    /** Gives it the device state; it stays paused. Works once. */
    void load(MemorySegment state, int lengthBytes);

    /** True once {@link #load} has succeeded. */
    boolean isLoaded();

    /** From here on it outlives this agent, and {@link #close()} leaves it as it is. */
    void release();

    /** Ends it, released or not. */
    void kill();

    /** Lets the guest run. If it throws and the exception is no refusal, the guest may have run. */
    void resume();

    /** Makes its network devices tell where they are now; returns at once. */
    void announce();

    boolean hasExited();

    @Override
    void close();
}
