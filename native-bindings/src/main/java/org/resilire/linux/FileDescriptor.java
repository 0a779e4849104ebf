package org.resilire.linux;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An open file descriptor that this object owns. Closing twice, or from two threads, closes once: a number closed twice
 * could by then be somebody else's file.
 */
public final class FileDescriptor implements AutoCloseable {
    private static final int CLOSED = -1;

    private final AtomicInteger number;
    private final String object;

    private FileDescriptor(int number, String object) {
        this.number = new AtomicInteger(number);
        this.object = object;
    }

    /** Opens a file; {@code O_CLOEXEC} is added, and a file that is created is readable and writable by its owner only. */
    public static FileDescriptor open(Path path, int flags) {
        String object = path.toString();
        int number;
        do {
            number = Fcntl.open(path, flags | Fcntl.O_CLOEXEC, Fcntl.OWNER_READS_AND_WRITES);
        } while (number == -Errno.EINTR.number());
        return new FileDescriptor(LinuxException.check(number, "open", object), object);
    }

    /** Takes over a number that a system call returned, or throws if that is a negative errno. */
    static FileDescriptor adopt(int numberOrError, String call, String object) {
        return new FileDescriptor(LinuxException.check(numberOrError, call, object), object);
    }

    /** For a system call; {@link IllegalStateException} if closed. */
    public int number() {
        int current = number.get();
        if (current == CLOSED) {
            throw new IllegalStateException("the file descriptor of " + object + " is closed");
        }
        return current;
    }

    /** What it stands for, as error messages name it. */
    public String object() {
        return object;
    }

    public boolean isOpen() {
        return number.get() != CLOSED;
    }

    /** Length of the file behind it. */
    public long lengthBytes() {
        return LinuxException.check(Unistd.lseek(number(), 0, Unistd.SEEK_END), "lseek", object);
    }

    @Override
    public void close() {
        int current = number.getAndSet(CLOSED);
        if (current != CLOSED) {
            // Linux frees the number whatever close answers, so there is nothing left to do about an error.
            Unistd.close(current);
        }
    }

    @Override
    public String toString() {
        return object + " (descriptor " + number.get() + ")";
    }
}
