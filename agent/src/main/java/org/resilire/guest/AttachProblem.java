package org.resilire.guest;

/** Why a guest cannot be protected as it is. Each has its own message and lets a command line choose an exit code. */
public enum AttachProblem {
    /** Nothing listens at the QMP socket's path. */
    NO_QMP_SOCKET,
    /** Something listens there, but it does not speak QMP. */
    NOT_QMP,
    /** QMP serves one client at a time, and it is serving another. */
    QMP_BUSY,
    /** The file that should hold the guest's RAM does not exist or cannot be read. */
    RAM_FILE_MISSING,
    /** No process maps the RAM file. */
    RAM_NOT_MAPPED,
    /** The RAM file is mapped privately: what the guest writes is not in it. */
    RAM_NOT_SHARED,
    /** More than one process maps the RAM file: writes of the others would be missed. */
    RAM_MAPPED_BY_SEVERAL,
    /** The QMP socket and the RAM file belong to different QEMUs. */
    RAM_OF_ANOTHER_GUEST,
    /** The RAM file is not as long as the guest's RAM. */
    RAM_SIZE_DIFFERS,
    /** The guest has memory that is neither in the RAM file nor in the device state. */
    MEMORY_NOT_SAVED,
    /** A device of the guest cannot be saved. */
    DEVICE_NOT_SAVED,
    /** The guest does not run. */
    NOT_RUNNING,
    /** Another agent tracks this guest's writes. */
    ALREADY_TRACKED,
    /** The tracker that was asked for does not work here. */
    TRACKER_UNAVAILABLE,
    /** The directory for the device state cannot be used by the agent or by QEMU. */
    STATE_DIRECTORY_UNUSABLE,
    /** QEMU did not answer as expected or not in time. */
    QEMU_MISBEHAVES
}
