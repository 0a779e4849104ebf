package org.resilire.linux;

/**
 * A failed system call. The message says which call, on what, what the system answered and, where there is something to be
 * done about it, what: {@code mmap of /dev/shm/vm.ram failed: EACCES (Permission denied)}.
 */
public final class LinuxException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final String object;
    private final Errno errno;

    public LinuxException(String call, String object, Errno errno) {
        this(call, object, errno, "");
    }

    /**
     * With something the user can do about it.
     *
     * @param advice a clause, or an empty string
     */
    public LinuxException(String call, String object, Errno errno, String advice) {
        super(message(call, object, errno, advice));
        this.call = call;
        this.object = object;
        this.errno = errno;
    }

    /** The system call or operation, e.g. {@code mmap}. */
    public String call() {
        return call;
    }

    /** What it was applied to, e.g. {@code /dev/shm/vm.ram}. */
    public String object() {
        return object;
    }

    public Errno errno() {
        return errno;
    }

    /** Passes a result on, or throws if it is a negative errno. */
    static long check(long result, String call, String object) {
        if (result < 0) {
            throw failure(result, call, object);
        }
        return result;
    }

    static int check(int result, String call, String object) {
        if (result < 0) {
            throw failure(result, call, object);
        }
        return result;
    }

    static LinuxException failure(long negativeErrno, String call, String object) {
        return failure(negativeErrno, call, object, "");
    }

    static LinuxException failure(long negativeErrno, String call, String object, String advice) {
        return new LinuxException(call, object, Errno.of((int) -negativeErrno), advice);
    }

    private static String message(String call, String object, Errno errno, String advice) {
        String what = call + " of " + object + " failed: " + errno + " (" + errno.text() + ")";
        return advice.isEmpty() ? what : what + "; " + advice;
    }
}
