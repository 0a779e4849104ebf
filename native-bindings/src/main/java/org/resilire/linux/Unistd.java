package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** {@code unistd.h}. Results are the call's, or a negative errno. */
final class Unistd {
    private static final MethodHandle CLOSE = CLibrary.downcall("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle READ =
            CLibrary.downcall("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle WRITE =
            CLibrary.frequent("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle PREAD =
            CLibrary.downcall("pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle PWRITE =
            CLibrary.downcall("pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle PREADV2 = CLibrary.downcall(
            "preadv2", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    private static final MethodHandle PWRITEV2 = CLibrary.downcall(
            "pwritev2", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    private static final MethodHandle FDATASYNC =
            CLibrary.downcall("fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle FTRUNCATE =
            CLibrary.downcall("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle LSEEK =
            CLibrary.downcall("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    private static final MethodHandle SYSCALL = CLibrary.variadic(
            "syscall", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    static final int SEEK_END = 2;
    static final int SEEK_DATA = 3;
    static final int SEEK_HOLE = 4;

    /** {@code linux/fs.h}: this one write is on stable storage when it returns. */
    static final int RWF_DSYNC = 2;

    /** {@code linux/fs.h}: {@code EAGAIN} rather than waiting. */
    static final int RWF_NOWAIT = 8;

    private Unistd() {}

    // SAFETY (read, write, pread, pwrite, preadv2, pwritev2): the caller owns [address, address + lengthBytes) and
    // keeps it mapped during the
    // call.

    static int close(int fd) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) CLOSE.invokeExact(errno, fd), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static long read(int fd, long address, long lengthBytes) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((long) READ.invokeExact(errno, fd, address, lengthBytes), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static long write(int fd, long address, long lengthBytes) {
        try {
            return (long) WRITE.invokeExact(fd, address, lengthBytes);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static long pread(int fd, long address, long lengthBytes, long fileOffset) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((long) PREAD.invokeExact(errno, fd, address, lengthBytes, fileOffset), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static long pwrite(int fd, long address, long lengthBytes, long fileOffset) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((long) PWRITE.invokeExact(errno, fd, address, lengthBytes, fileOffset), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static long preadv2(int fd, long iovecAddress, int iovecCount, long fileOffset, int flags) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result(
                    (long) PREADV2.invokeExact(errno, fd, iovecAddress, iovecCount, fileOffset, flags), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static long pwritev2(int fd, long iovecAddress, int iovecCount, long fileOffset, int flags) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result(
                    (long) PWRITEV2.invokeExact(errno, fd, iovecAddress, iovecCount, fileOffset, flags), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int fdatasync(int fd) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) FDATASYNC.invokeExact(errno, fd), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int ftruncate(int fd, long lengthBytes) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) FTRUNCATE.invokeExact(errno, fd, lengthBytes), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static long lseek(int fd, long offset, int whence) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((long) LSEEK.invokeExact(errno, fd, offset, whence), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    /** For calls that the C library has no wrapper for, or only newer ones; numbers in {@link SystemCallNumbers}. */
    static long syscall(long number, long arg0, long arg1, long arg2, long arg3) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((long) SYSCALL.invokeExact(errno, number, arg0, arg1, arg2, arg3), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }
}
