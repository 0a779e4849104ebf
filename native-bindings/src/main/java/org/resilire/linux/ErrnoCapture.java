package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/** Where downcalls put errno: one segment a thread, so that two threads never see each other's. Freed with its thread. */
final class ErrnoCapture {
    static final Linker.Option OPTION = Linker.Option.captureCallState("errno");

    private static final StructLayout LAYOUT = Linker.Option.captureStateLayout();
    private static final long OFFSET = LAYOUT.byteOffset(PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> SEGMENT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(LAYOUT));

    private ErrnoCapture() {}

    static MemorySegment ofThisThread() {
        return SEGMENT.get();
    }

    /** The kernel's way to answer: the result, or the negative errno if the C library said {@code -1}. */
    static long result(long returned, MemorySegment captured) {
        return returned == -1 ? -captured.get(JAVA_INT, OFFSET) : returned;
    }

    static int result(int returned, MemorySegment captured) {
        return returned == -1 ? -captured.get(JAVA_INT, OFFSET) : returned;
    }
}
