package org.resilire.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** {@code fcntl.h} and {@code linux/falloc.h}: flags for {@link FileDescriptor#open}, and the calls behind it. */
public final class Fcntl {
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_TRUNC = 0x200;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_CLOEXEC = 0x8_0000;

    static final int F_GETFD = 1;
    static final int F_GETFL = 3;
    static final int FD_CLOEXEC = 1;
    static final int FALLOC_FL_KEEP_SIZE = 1;
    static final int FALLOC_FL_PUNCH_HOLE = 2;
    static final int FALLOC_FL_ZERO_RANGE = 16;

    static final int F_OFD_GETLK = 36;
    static final int F_OFD_SETLK = 37;
    static final short F_RDLCK = 0;
    static final short F_WRLCK = 1;
    static final short F_UNLCK = 2;

    /** Offsets count from the start of the file. */
    static final short SEEK_SET = 0;

    static final StructLayout FLOCK = MemoryLayout.structLayout(
                    JAVA_SHORT.withName("l_type"),
                    JAVA_SHORT.withName("l_whence"),
                    MemoryLayout.paddingLayout(4),
                    JAVA_LONG.withName("l_start"),
                    JAVA_LONG.withName("l_len"),
                    JAVA_INT.withName("l_pid"),
                    MemoryLayout.paddingLayout(4))
            .withName("flock");
    static final long L_WHENCE = FLOCK.byteOffset(PathElement.groupElement("l_whence"));
    static final long L_START = FLOCK.byteOffset(PathElement.groupElement("l_start"));
    static final long L_LEN = FLOCK.byteOffset(PathElement.groupElement("l_len"));

    static final int OWNER_READS_AND_WRITES = 0600;

    private static final MethodHandle OPEN =
            CLibrary.variadic("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle FCNTL =
            CLibrary.variadic("fcntl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle FALLOCATE =
            CLibrary.downcall("fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));

    private Fcntl() {}

    static int open(Path path, int flags, int mode) {
        // SAFETY: the arena outlives the call, and the linker keeps the string alive during it.
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = ErrnoCapture.ofThisThread();
            MemorySegment name = arena.allocateFrom(path.toString());
            return ErrnoCapture.result((int) OPEN.invokeExact(errno, name, flags, mode), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int fcntl(int fd, int command, long argument) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) FCNTL.invokeExact(errno, fd, command, argument), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int fallocate(int fd, int mode, long offset, long lengthBytes) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) FALLOCATE.invokeExact(errno, fd, mode, offset, lengthBytes), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }
}
