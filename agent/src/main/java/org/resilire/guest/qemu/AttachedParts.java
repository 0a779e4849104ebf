package org.resilire.guest.qemu;

import org.resilire.guest.GuestMemory;
import org.resilire.guest.tracking.RamMapping;
import org.resilire.linux.PidFd;

/** What attaching to a QEMU opens, all checked and fitting together. */
record AttachedParts(
        QmpConnection qmp,
        RamMapping ram,
        GuestMemory memory,
        PidFd process,
        StateFile stateFile,
        DeviceInventory inventory) {}
