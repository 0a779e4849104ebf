package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;

/** {@code sys/ioctl.h} and the number formula of {@code asm-generic/ioctl.h}: direction | size | type | number. */
final class Ioctl {
    /** {@code asm-generic/sockios.h}: bytes that were sent and not yet taken, with the kernel's own. */
    static final long SIOCOUTQ = 0x5411;

    private static final int WRITE = 1;
    private static final int READ = 2;

    private static final MethodHandle IOCTL =
            CLibrary.frequentVariadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));

    private Ioctl() {}

    /** {@code _IOR}: user space reads what the kernel writes. */
    static long ior(int type, int number, long sizeBytes) {
        return encode(READ, type, number, sizeBytes);
    }

    /** {@code _IOW}: user space writes what the kernel reads. */
    static long iow(int type, int number, long sizeBytes) {
        return encode(WRITE, type, number, sizeBytes);
    }

    /** {@code _IOWR}. */
    static long iowr(int type, int number, long sizeBytes) {
        return encode(READ | WRITE, type, number, sizeBytes);
    }

    private static long encode(int direction, int type, int number, long sizeBytes) {
        return ((long) direction << 30) | (sizeBytes << 16) | ((long) type << 8) | number;
    }

    // SAFETY: the argument is a number, or the address of a struct of the size encoded in the request, owned and kept
    // alive
    // by the caller. A wrong size would let the kernel write past it: sizes are asserted in AbiTest.
    static int ioctl(int fd, long request, long argument) {
        try {
            return (int) IOCTL.invokeExact(fd, request, argument);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }
}
