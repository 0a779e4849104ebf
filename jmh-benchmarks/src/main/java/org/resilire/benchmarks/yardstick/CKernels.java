package org.resilire.benchmarks.yardstick;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Objects;
import org.resilire.benchmarks.PageOrder;
import org.resilire.simd.BlockKernels;

/**
 * The kernels of {@code kernels.c}, compiled when this class is first used and called for a batch of pages at a time. Check
 * {@link CCompiler#problem()} first.
 */
public final class CKernels {

    /** Matches the names of the benchmarks that need this class, as JMH wants it: methods like {@code cAvx512}. */
    public static final String BENCHMARKS = ".*\\.c[A-Z][A-Za-z0-9]*$";

    private static final SymbolLookup LIBRARY = CCompiler.load("kernels.c", Arena.global());
    private static final MethodHandle CHANGED_AVX512 = handle(
            "yardstick_changed_avx512",
            FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final FunctionDescriptor FUSED =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FUSED_AVX512 = handle("yardstick_fused_avx512", FUSED);
    private static final MethodHandle FUSED_AVX2 = handle("yardstick_fused_avx2", FUSED);
    private static final MethodHandle COPY_AVX512 = handle("yardstick_copy_avx512", FUSED);

    private CKernels() {}

    @SuppressWarnings("restricted")
    private static MethodHandle handle(final String name, final FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(LIBRARY.findOrThrow(name), descriptor);
    }

    /** Whether this CPU runs the kernels for AVX-512. */
    public static boolean hasAvx512() {
        return has("yardstick_has_avx512");
    }

    /** Whether this CPU runs the kernels for AVX2. */
    public static boolean hasAvx2() {
        return has("yardstick_has_avx2");
    }

    private static boolean has(final String name) {
        try {
            return (int) handle(name, FunctionDescriptor.of(JAVA_INT)).invokeExact() != 0;
        } catch (final Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** The masks of a batch of pages. */
    public static void changedAvx512(
            final MemorySegment guest,
            final MemorySegment shadow,
            final PageOrder order,
            final long batch,
            final MemorySegment masks) {
        checkRoom(order, batch, masks);
        try {
            // SAFETY: the order names pages of guest and shadow; the rest was just checked.
            CHANGED_AVX512.invokeExact(
                    guest.address(),
                    shadow.address(),
                    order.offsets().address() + batch,
                    (long) PageOrder.BATCH_PAGES,
                    masks.address());
        } catch (final Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Captures a batch of pages with 512-bit vectors; returns the bytes written to {@code out}. */
    public static long fusedAvx512(
            final MemorySegment guest,
            final MemorySegment shadow,
            final MemorySegment out,
            final PageOrder order,
            final long batch,
            final MemorySegment masks) {
        return capture(FUSED_AVX512, guest, shadow, out, order, batch, masks);
    }

    /** Captures a batch of pages with 256-bit vectors; returns the bytes written to {@code out}. */
    public static long fusedAvx2(
            final MemorySegment guest,
            final MemorySegment shadow,
            final MemorySegment out,
            final PageOrder order,
            final long batch,
            final MemorySegment masks) {
        return capture(FUSED_AVX2, guest, shadow, out, order, batch, masks);
    }

    /** {@link #fusedAvx512} that leaves the shadow as it is. */
    public static long copyAvx512(
            final MemorySegment guest,
            final MemorySegment shadow,
            final MemorySegment out,
            final PageOrder order,
            final long batch,
            final MemorySegment masks) {
        return capture(COPY_AVX512, guest, shadow, out, order, batch, masks);
    }

    private static long capture(
            final MethodHandle kernel,
            final MemorySegment guest,
            final MemorySegment shadow,
            final MemorySegment out,
            final PageOrder order,
            final long batch,
            final MemorySegment masks) {
        checkRoom(order, batch, masks);
        Objects.checkFromIndexSize(0, (long) PageOrder.BATCH_PAGES * BlockKernels.PAGE_BYTES, out.byteSize());
        try {
            // SAFETY: the order names pages of guest and shadow; the rest was just checked.
            return (long) kernel.invokeExact(
                    guest.address(),
                    shadow.address(),
                    out.address(),
                    order.offsets().address() + batch,
                    (long) PageOrder.BATCH_PAGES,
                    masks.address());
        } catch (final Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static void checkRoom(final PageOrder order, final long batch, final MemorySegment masks) {
        final long listBytes = (long) PageOrder.BATCH_PAGES * Long.BYTES;
        Objects.checkFromIndexSize(batch, listBytes, order.offsets().byteSize());
        Objects.checkFromIndexSize(0, listBytes, masks.byteSize());
    }
}
