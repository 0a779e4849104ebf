package org.resilire.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** Downcall handles into the C library; each captures errno into the leading segment argument, unless it says otherwise. */
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

    /**
     * For calls made all the time: takes no segment, returns the result or a negative errno, and leaves no garbage, whatever
     * the compiler has got to. What fails is called once more ({@link ErrnoCapture#onFailureOnly}), so not for calls that
     * find nothing to do as often as not, such as those that drain a socket.
     */
    static MethodHandle frequent(String function, FunctionDescriptor descriptor) {
        return ErrnoCapture.onFailureOnly(link(function, descriptor), downcall(function, descriptor));
    }

    /** The same for C functions with {@code ...}. */
    static MethodHandle frequentVariadic(String function, int firstVariadic, FunctionDescriptor descriptor) {
        return ErrnoCapture.onFailureOnly(
                link(function, descriptor, Linker.Option.firstVariadicArg(firstVariadic)),
                variadic(function, firstVariadic, descriptor));
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
