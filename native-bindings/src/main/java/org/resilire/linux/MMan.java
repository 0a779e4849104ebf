package org.resilire.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** {@code sys/mman.h}. Addresses are plain longs: a user-space address is never negative, so a negative result is an errno. */
final class MMan {
    static final int PROT_NONE = 0;
    static final int PROT_READ = 1;
    static final int PROT_WRITE = 2;
    static final int MAP_SHARED = 1;
    static final int MAP_PRIVATE = 2;
    static final int MAP_ANONYMOUS = 0x20;
    static final int MAP_NORESERVE = 0x4000;
    static final int MADV_DONTNEED = 4;
    static final int MADV_HUGEPAGE = 14;
    static final int MFD_CLOEXEC = 1;

    private static final MethodHandle MMAP = CLibrary.downcall(
            "mmap", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP =
            CLibrary.downcall("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle MPROTECT =
            CLibrary.downcall("mprotect", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle MADVISE =
            CLibrary.downcall("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle MEMFD_CREATE =
            CLibrary.downcall("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));

    private MMan() {}

    /** Lets the kernel choose the address. */
    static long mmap(long lengthBytes, int protection, int flags, int fd) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result(
                    (long) MMAP.invokeExact(errno, 0L, lengthBytes, protection, flags, fd, 0L), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    // SAFETY (munmap, mprotect, madvise): the caller mapped the range itself and no segment over it is used afterwards
    // in
    // a way that the change forbids.

    static int munmap(long address, long lengthBytes) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) MUNMAP.invokeExact(errno, address, lengthBytes), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int mprotect(long address, long lengthBytes, int protection) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) MPROTECT.invokeExact(errno, address, lengthBytes, protection), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int madvise(long address, long lengthBytes, int advice) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) MADVISE.invokeExact(errno, address, lengthBytes, advice), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int memfdCreate(String name, int flags) {
        // SAFETY: the arena outlives the call, and the linker keeps the string alive during it.
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = ErrnoCapture.ofThisThread();
            MemorySegment text = arena.allocateFrom(name);
            return ErrnoCapture.result((int) MEMFD_CREATE.invokeExact(errno, text, flags), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }
}
