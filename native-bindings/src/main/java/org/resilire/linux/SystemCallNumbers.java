package org.resilire.linux;

/** {@code asm/unistd_64.h} of x86-64, the numbers used with {@code syscall(2)} and injected into other processes. */
final class SystemCallNumbers {
    static final long SYS_CLOSE = 3;
    static final long SYS_GETPID = 39;
    static final long SYS_USERFAULTFD = 323;
    static final long SYS_PIDFD_SEND_SIGNAL = 424;
    static final long SYS_PIDFD_OPEN = 434;
    static final long SYS_PIDFD_GETFD = 438;

    private SystemCallNumbers() {}

    /** Every number and register layout in this package is x86-64's. */
    static void requireX8664() {
        String architecture = System.getProperty("os.arch");
        if (!"amd64".equals(architecture)) {
            throw new UnsupportedOperationException("only x86-64 is supported, this JVM runs on " + architecture);
        }
    }
}
