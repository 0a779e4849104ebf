package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Asynchronous write protection of another process's memory ({@code userfaultfd(2)}): writes go through without any fault
 * handler and leave a mark that {@link PageMap#scanWritten} collects. One thread at a time.
 *
 * <p>The descriptor belongs to the target's address space but only this process holds it: when it is closed, or this
 * process dies, the kernel drops the registration and the target runs on as before.
 */
public final class UserFaultFd implements AutoCloseable {
    private static final long FEATURES = UserFaultFdAbi.UFFD_FEATURE_WP_ASYNC
            | UserFaultFdAbi.UFFD_FEATURE_WP_UNPOPULATED
            | UserFaultFdAbi.UFFD_FEATURE_WP_HUGETLBFS_SHMEM;
    private static final int OPEN_FLAGS = Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
    private static final int LARGEST_RETRY_COUNT = 1_000;

    private final FileDescriptor descriptor;
    private final long injectionNanos;
    private final MemorySegment argument = Arena.ofAuto().allocate(UserFaultFdAbi.UFFDIO_REGISTER_STRUCT);

    private UserFaultFd(FileDescriptor descriptor, long injectionNanos) {
        this.descriptor = descriptor;
        this.injectionNanos = injectionNanos;
    }

    /**
     * Has the target create one, takes it, and has the target close its own copy. The target's main thread stands still for
     * {@link #injectionNanos}.
     *
     * <p>A target without {@code CAP_SYS_PTRACE} may (by {@code vm.unprivileged_userfaultfd}) only create one restricted
     * to user-mode faults. That restriction is on fault <em>handling</em>: asynchronous marks are set for the kernel's own
     * writes too, so such a one does as well.
     */
    public static UserFaultFd injectInto(long pid) {
        InjectionRehearsal.once();
        return OnOwnThread.call("userfaultfd-injector", () -> injectFromThisThread(pid));
    }

    static UserFaultFd injectFromThisThread(long pid) {
        try (PidFd target = PidFd.open(pid)) {
            String object = "process " + pid;
            SyscallInjector injector = SyscallInjector.prepare(pid);
            target.duplicateRaw(-1);
            long created;
            int duplicate = -Errno.EBADF.number();
            try (injector) {
                injector.stop();
                created = injector.inject(SystemCallNumbers.SYS_USERFAULTFD, OPEN_FLAGS);
                if (created == -Errno.EPERM.number()) {
                    created = injector.inject(
                            SystemCallNumbers.SYS_USERFAULTFD, OPEN_FLAGS | UserFaultFdAbi.UFFD_USER_MODE_ONLY);
                }
                if (created >= 0) {
                    duplicate = target.duplicateRaw((int) created);
                    injector.inject(SystemCallNumbers.SYS_CLOSE, created);
                }
            }
            if (created < 0) {
                throw LinuxException.failure(
                        created, "userfaultfd", object, "is CONFIG_USERFAULTFD set, and no seccomp filter in its way?");
            }
            FileDescriptor descriptor = FileDescriptor.adopt(duplicate, "pidfd_getfd", "userfaultfd of " + object);
            return new UserFaultFd(descriptor, injector.stoppedNanos());
        }
    }

    /** One over this process's own memory, for plain shared-memory regions and for tests. */
    public static UserFaultFd ofThisProcess() {
        String object = "userfaultfd of this process";
        return new UserFaultFd(FileDescriptor.adopt(createHere(OPEN_FLAGS), "userfaultfd", object), 0);
    }

    private static int createHere(long flags) {
        return (int) Unistd.syscall(SystemCallNumbers.SYS_USERFAULTFD, flags, 0, 0, 0);
    }

    /** How long the target's main thread was stopped; 0 for this process's own. */
    public long injectionNanos() {
        return injectionNanos;
    }

    /** The handshake; once, before anything is registered. */
    public void enableAsyncWriteProtect() {
        int result = handshake(descriptor.number(), FEATURES);
        if (result == -Errno.EINVAL.number()) {
            requireFeatures();
        }
        LinuxException.check(result, "UFFDIO_API", descriptor.object());
    }

    private int handshake(int fd, long features) {
        argument.set(JAVA_LONG, 0, UserFaultFdAbi.UFFD_API);
        argument.set(JAVA_LONG, UserFaultFdAbi.API_FEATURES, features);
        return Ioctl.ioctl(fd, UserFaultFdAbi.UFFDIO_API, argument.address());
    }

    /** The kernel answers a wish that it cannot grant with a bare EINVAL: ask a second descriptor what there is. */
    private void requireFeatures() {
        int number = createHere(OPEN_FLAGS | UserFaultFdAbi.UFFD_USER_MODE_ONLY);
        try (FileDescriptor probe = FileDescriptor.adopt(number, "userfaultfd", "this process, to ask for features")) {
            LinuxException.check(handshake(probe.number(), 0), "UFFDIO_API", probe.object());
            requireFeatures(argument.get(JAVA_LONG, UserFaultFdAbi.API_FEATURES));
        }
    }

    static void requireFeatures(long available) {
        require(available, UserFaultFdAbi.UFFD_FEATURE_WP_HUGETLBFS_SHMEM, "UFFD_FEATURE_WP_HUGETLBFS_SHMEM", "5.19");
        require(available, UserFaultFdAbi.UFFD_FEATURE_WP_UNPOPULATED, "UFFD_FEATURE_WP_UNPOPULATED", "6.4");
        require(available, UserFaultFdAbi.UFFD_FEATURE_WP_ASYNC, "UFFD_FEATURE_WP_ASYNC", "6.7");
    }

    private static void require(long available, long feature, String name, String since) {
        if ((available & feature) == 0) {
            throw new MissingKernelFeatureException(
                    name, "it needs Linux " + since + " or newer with CONFIG_PTE_MARKER_UFFD_WP");
        }
    }

    /** Registers a page-aligned range of the target's addresses; {@code EBUSY} if another userfaultfd has it. */
    public void registerWriteProtect(long address, long lengthBytes) {
        range(address, lengthBytes);
        argument.set(JAVA_LONG, UserFaultFdAbi.REGISTER_MODE, UserFaultFdAbi.UFFDIO_REGISTER_MODE_WP);
        int result = Ioctl.ioctl(descriptor.number(), UserFaultFdAbi.UFFDIO_REGISTER, argument.address());
        check(result, "UFFDIO_REGISTER", address, lengthBytes);
        long ioctls = argument.get(JAVA_LONG, UserFaultFdAbi.REGISTER_IOCTLS);
        if (((ioctls >>> UserFaultFdAbi.NUMBER_WRITEPROTECT) & 1) == 0) {
            throw new MissingKernelFeatureException(
                    "UFFDIO_WRITEPROTECT for this kind of memory", "use shared or anonymous memory");
        }
    }

    /** Write-protects a registered range: from now on, what is written is marked. */
    public void writeProtect(long address, long lengthBytes) {
        range(address, lengthBytes);
        argument.set(JAVA_LONG, UserFaultFdAbi.WRITEPROTECT_MODE, UserFaultFdAbi.UFFDIO_WRITEPROTECT_MODE_WP);
        int result;
        int attempts = 0;
        do {
            // EAGAIN: the target is changing its mappings at this moment.
            result = Ioctl.ioctl(descriptor.number(), UserFaultFdAbi.UFFDIO_WRITEPROTECT, argument.address());
        } while (result == -Errno.EAGAIN.number() && ++attempts < LARGEST_RETRY_COUNT);
        check(result, "UFFDIO_WRITEPROTECT", address, lengthBytes);
    }

    private void range(long address, long lengthBytes) {
        argument.set(JAVA_LONG, 0, address);
        argument.set(JAVA_LONG, UserFaultFdAbi.RANGE_LEN, lengthBytes);
    }

    private void check(int result, String call, long address, long lengthBytes) {
        if (result < 0) {
            String range = String.format(" [%#x, %#x)", address, address + lengthBytes);
            throw LinuxException.failure(result, call, descriptor.object() + range, advice(result));
        }
    }

    private static String advice(int result) {
        return switch (Errno.of(-result)) {
            case EBUSY -> "another userfaultfd, of another agent or of the target itself, covers it";
            case EINVAL -> "is it page-aligned, mapped, and shared memory or anonymous?";
            case ESRCH -> "the process has ended";
            default -> "";
        };
    }

    /** Drops protection and registration; the target runs on. */
    @Override
    public void close() {
        descriptor.close();
    }
}
