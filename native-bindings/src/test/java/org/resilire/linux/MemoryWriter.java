package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes to random pages of a shared file, a value never seen before each time, every other time through the kernel
 * ({@code read(2)} into the memory). Runs in a process of its own; the control file says when to pause and to end.
 */
final class MemoryWriter {
    static final int PAUSE_WISH = 0;
    static final int PAUSED = 8;
    static final int WRITES = 16;
    static final long CONTROL_BYTES = 4096;

    private static final VarHandle LONG = JAVA_LONG.varHandle();
    /** Should the test be killed, nobody else would end it. */
    private static final long LIFE_NANOS = 150_000_000_000L;

    private static final int SLOTS_PER_PAGE = 512;

    private MemoryWriter() {}

    public static void main(String[] arguments) {
        try (MappedFile ram = MappedFile.mapReadWrite(Path.of(arguments[0]));
                MappedFile control = MappedFile.mapReadWrite(Path.of(arguments[1]));
                FileDescriptor random = FileDescriptor.open(Path.of("/dev/urandom"), Fcntl.O_RDONLY)) {
            run(ram.segment(), control.segment(), random.number());
        }
    }

    private static void run(MemorySegment ram, MemorySegment control, int random) {
        SplittableRandom choice = new SplittableRandom(7);
        int pages = (int) (ram.byteSize() / NativeMemory.PAGE_BYTES);
        long start = System.nanoTime();
        for (long count = 1; System.nanoTime() - start < LIFE_NANOS; count++) {
            awaitPermission(control);
            long at = choice.nextInt(pages) * NativeMemory.PAGE_BYTES + choice.nextInt(SLOTS_PER_PAGE) * 8L;
            if (count % 2 == 0) {
                LinuxException.check(Unistd.read(random, ram.address() + at, 8), "read", "/dev/urandom");
            } else {
                ram.set(JAVA_LONG, at, count);
            }
            set(control, WRITES, count);
            if (count % 64 == 0) {
                LockSupport.parkNanos(100_000);
            }
        }
    }

    private static void awaitPermission(MemorySegment control) {
        if (get(control, PAUSE_WISH) == 0) {
            return;
        }
        set(control, PAUSED, 1);
        long start = System.nanoTime();
        while (get(control, PAUSE_WISH) != 0 && System.nanoTime() - start < LIFE_NANOS) {
            LockSupport.parkNanos(100_000);
        }
        set(control, PAUSED, 0);
    }

    static long get(MemorySegment control, long offset) {
        return (long) LONG.getVolatile(control, offset);
    }

    static void set(MemorySegment control, long offset, long value) {
        LONG.setVolatile(control, offset, value);
    }
}
