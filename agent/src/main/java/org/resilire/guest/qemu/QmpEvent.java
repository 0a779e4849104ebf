package org.resilire.guest.qemu;

/** Events of QEMU's machine protocol that matter to replication; every other one counts as {@link #OTHER}. */
public enum QmpEvent {
    STOP,
    RESUME,
    RESET,
    SHUTDOWN,
    POWERDOWN,
    SUSPEND,
    WAKEUP,
    GUEST_PANICKED,
    BLOCK_IO_ERROR,
    DEVICE_DELETED,
    MIGRATION,
    OTHER
}
