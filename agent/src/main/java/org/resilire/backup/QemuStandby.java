package org.resilire.backup;

import java.lang.foreign.MemorySegment;
import org.resilire.guest.qemu.DeviceInventory;
import org.resilire.guest.qemu.StandbyQemu;

/** The standby that is a real QEMU. */
record QemuStandby(StandbyQemu qemu) implements Standby {

    @Override
    public DeviceInventory inventory() {
        return qemu.inventory();
    }

    @Override
    public void load(final MemorySegment state, final int lengthBytes) {
        qemu.load(state, lengthBytes);
    }

    @Override
    public boolean isLoaded() {
        return qemu.isLoaded();
    }

    @Override
    public void release() {
        qemu.release();
    }

    @Override
    public void kill() {
        qemu.kill();
    }

    @Override
    public void resume() {
        qemu.resume();
    }

    @Override
    public void announce() {
        qemu.announce();
    }

    @Override
    public boolean hasExited() {
        return qemu.hasExited();
    }

    @Override
    public void close() {
        qemu.close();
    }
}
