package org.resilire.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** Downcall handles into the C library; each captures errno into the leading segment argument ({@link ErrnoCapture}). */
final class CLibrary {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LOOKUP = LINKER.defaultLookup();

    private CLibrary() {}

    static MethodHandle downcall(String function, FunctionDescriptor descriptor) {
        return link(function, descriptor, ErrnoCapture.OPTION);
    }

    /** For C functions with {@code ...}: {@code firstVariadic} is the index of the first argument behind the fixed ones. */
    static MethodHandle variadic(String function, int firstVariadic, FunctionDescriptor descriptor) {
        return link(function, descriptor, ErrnoCapture.OPTION, Linker.Option.firstVariadicArg(firstVariadic));
    }

    // SAFETY: every descriptor in this package repeats the prototype of its header (pointers as JAVA_LONG where the
    // caller
    // passes an address that it keeps alive, as ADDRESS where the linker is to keep the segment alive during the call).
    @SuppressWarnings("restricted")
    private static MethodHandle link(String function, FunctionDescriptor descriptor, Linker.Option... options) {
        MemorySegment symbol = LOOKUP.find(function)
                .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no function " + function));
        return LINKER.downcallHandle(symbol, descriptor, options);
    }

    /** What a method handle throws is either unchecked or cannot happen. */
    static RuntimeException unexpected(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return thrown instanceof RuntimeException runtime ? runtime : new IllegalStateException(thrown);
    }
}
