package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.invoke.MethodType.methodType;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;

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

    /**
     * Of two handles to one function, the second of which captures errno into its first argument: one that answers the
     * kernel's way. Capturing costs 40 bytes of garbage a call (the linker slices the segment) wherever escape analysis does
     * not remove it, so the call is made without; one that fails is made once more, to learn why. Hence only for calls that
     * may be repeated: not close (the number may be another file's by then), nothing that reports a lost write once.
     */
    static MethodHandle onFailureOnly(MethodHandle plain, MethodHandle capturing) {
        Class<?> type = plain.type().returnType();
        List<Class<?>> arguments = plain.type().parameterList();
        MethodHandle result = own("result", methodType(type, type, MemorySegment.class));
        MethodHandle again = MethodHandles.foldArguments(
                MethodHandles.foldArguments(MethodHandles.dropArguments(result, 2, arguments), capturing),
                own("ofThisThread", methodType(MemorySegment.class)));
        MethodHandle answer = MethodHandles.guardWithTest(
                own("isFailure", methodType(boolean.class, type)),
                MethodHandles.dropArguments(again, 0, type),
                MethodHandles.dropArguments(MethodHandles.identity(type), 1, arguments));
        return MethodHandles.foldArguments(answer, plain);
    }

    private static MethodHandle own(String method, MethodType type) {
        try {
            return MethodHandles.lookup().findStatic(ErrnoCapture.class, method, type);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(method, e);
        }
    }

    static boolean isFailure(int returned) {
        return returned == -1;
    }

    static boolean isFailure(long returned) {
        return returned == -1;
    }

    /** The kernel's way to answer: the result, or the negative errno if the C library said {@code -1}. */
    static long result(long returned, MemorySegment captured) {
        return returned == -1 ? -captured.get(JAVA_INT, OFFSET) : returned;
    }

    static int result(int returned, MemorySegment captured) {
        return returned == -1 ? -captured.get(JAVA_INT, OFFSET) : returned;
    }
}
