package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Soft-dirty page tracking ({@code admin-guide/mm/soft-dirty}), the fallback for kernels without {@code PAGEMAP_SCAN}. Any thread. */
public final class SoftDirty {
    private static final MemorySegment CLEAR_SOFT_DIRTY = Arena.global().allocateFrom(JAVA_BYTE, (byte) '4');

    private SoftDirty() {}

    /** Whether the kernel has it: a page of a new mapping is soft-dirty once touched, if anything ever is. */
    public static boolean isSupported() {
        try (AnonymousMemory memory = AnonymousMemory.reserve("a soft-dirty probe", NativeMemory.PAGE_BYTES);
                PageMap pageMap = PageMap.open(ProcessHandle.current().pid())) {
            memory.segment().set(JAVA_BYTE, 0, (byte) 1);
            return pageMap.isSoftDirty(memory.segment().address());
        }
    }

    /** Clears the bits of all pages of a process; the process must not be running if no write is to be lost. */
    public static void clear(long pid) {
        Path path = Path.of("/proc/" + pid + "/clear_refs");
        try (FileDescriptor descriptor = FileDescriptor.open(path, Fcntl.O_WRONLY)) {
            LinuxException.check(
                    Unistd.write(descriptor.number(), CLEAR_SOFT_DIRTY.address(), 1), "write", descriptor.object());
        }
    }
}
