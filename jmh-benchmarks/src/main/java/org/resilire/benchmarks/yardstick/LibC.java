package org.resilire.benchmarks.yardstick;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Objects;

/**
 * The bounds: {@code memcmp} and {@code memcpy} of the C library, called without a state transition, so that a call costs a
 * page no more than a few nanoseconds.
 */
public final class LibC {

    private static final MethodHandle MEMCMP =
            handle("memcmp", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle MEMCPY =
            handle("memcpy", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    private LibC() {}

    @SuppressWarnings("restricted")
    private static MethodHandle handle(final String name, final FunctionDescriptor descriptor) {
        final Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow(name), descriptor, Linker.Option.critical(false));
    }

    /** Compares two ranges; 0 if they are equal. */
    public static int memcmp(
            final MemorySegment a, final long aOffset, final MemorySegment b, final long bOffset, final long count) {
        Objects.checkFromIndexSize(aOffset, count, a.byteSize());
        Objects.checkFromIndexSize(bOffset, count, b.byteSize());
        try {
            // SAFETY: both ranges were just checked against segments that the caller keeps alive.
            return (int) MEMCMP.invokeExact(a.address() + aOffset, b.address() + bOffset, count);
        } catch (final Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Copies a range; the two must not overlap. */
    public static void memcpy(
            final MemorySegment to,
            final long toOffset,
            final MemorySegment from,
            final long fromOffset,
            final long count) {
        Objects.checkFromIndexSize(toOffset, count, to.byteSize());
        Objects.checkFromIndexSize(fromOffset, count, from.byteSize());
        try {
            // SAFETY: both ranges were just checked against segments that the caller keeps alive.
            final long ignored = (long) MEMCPY.invokeExact(to.address() + toOffset, from.address() + fromOffset, count);
        } catch (final Throwable e) {
            throw new AssertionError(e);
        }
    }
}
