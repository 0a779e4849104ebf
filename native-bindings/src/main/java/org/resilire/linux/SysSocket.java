package org.resilire.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** {@code sys/socket.h}, {@code sys/un.h} and {@code sys/uio.h}. */
final class SysSocket {
    static final int AF_UNIX = 1;
    static final int SOCK_STREAM = 1;
    static final int SOCK_DGRAM = 2;
    static final int SOCK_NONBLOCK = 0x800;
    static final int SOCK_CLOEXEC = 0x8_0000;
    static final int SOL_SOCKET = 1;
    static final int SO_SNDBUF = 7;
    static final int SO_RCVBUF = 8;
    static final int SO_SNDBUFFORCE = 32;
    static final int SO_RCVBUFFORCE = 33;
    static final int MSG_TRUNC = 0x20;
    static final int MSG_DONTWAIT = 0x40;
    static final int MSG_NOSIGNAL = 0x4000;

    static final StructLayout SOCKADDR_UN = MemoryLayout.structLayout(
                    JAVA_SHORT.withName("sun_family"),
                    MemoryLayout.sequenceLayout(108, JAVA_BYTE).withName("sun_path"))
            .withName("sockaddr_un");
    static final long SUN_PATH = SOCKADDR_UN.byteOffset(PathElement.groupElement("sun_path"));

    static final StructLayout IOVEC = MemoryLayout.structLayout(
                    JAVA_LONG.withName("iov_base"), JAVA_LONG.withName("iov_len"))
            .withName("iovec");
    static final long IOV_BASE = IOVEC.byteOffset(PathElement.groupElement("iov_base"));
    static final long IOV_LEN = IOVEC.byteOffset(PathElement.groupElement("iov_len"));

    static final StructLayout MSGHDR = MemoryLayout.structLayout(
                    JAVA_LONG.withName("msg_name"),
                    JAVA_INT.withName("msg_namelen"),
                    MemoryLayout.paddingLayout(4),
                    JAVA_LONG.withName("msg_iov"),
                    JAVA_LONG.withName("msg_iovlen"),
                    JAVA_LONG.withName("msg_control"),
                    JAVA_LONG.withName("msg_controllen"),
                    JAVA_INT.withName("msg_flags"),
                    MemoryLayout.paddingLayout(4))
            .withName("msghdr");
    static final long MSG_NAME = MSGHDR.byteOffset(PathElement.groupElement("msg_name"));
    static final long MSG_NAMELEN = MSGHDR.byteOffset(PathElement.groupElement("msg_namelen"));
    static final long MSG_IOV = MSGHDR.byteOffset(PathElement.groupElement("msg_iov"));
    static final long MSG_IOVLEN = MSGHDR.byteOffset(PathElement.groupElement("msg_iovlen"));
    static final long MSG_FLAGS = MSGHDR.byteOffset(PathElement.groupElement("msg_flags"));

    static final StructLayout MMSGHDR = MemoryLayout.structLayout(
                    MSGHDR.withName("msg_hdr"), JAVA_INT.withName("msg_len"), MemoryLayout.paddingLayout(4))
            .withName("mmsghdr");
    static final long MSG_LEN = MMSGHDR.byteOffset(PathElement.groupElement("msg_len"));

    private static final MethodHandle SOCKET =
            CLibrary.downcall("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle BIND =
            CLibrary.downcall("bind", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle CONNECT =
            CLibrary.downcall("connect", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle SETSOCKOPT = CLibrary.downcall(
            "setsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle SEND =
            CLibrary.frequent("send", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle RECVMMSG = CLibrary.downcall(
            "recvmmsg", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle SENDMMSG =
            CLibrary.frequent("sendmmsg", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT));

    private SysSocket() {}

    /** A {@code sockaddr_un}; the path must leave room for the terminating zero: at most 107 bytes. */
    static MemorySegment unixAddress(Path path, Arena arena) {
        byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
        long roomBytes = SOCKADDR_UN.byteSize() - SUN_PATH;
        if (bytes.length >= roomBytes) {
            throw new IllegalArgumentException("the socket path " + path + " has " + bytes.length
                    + " bytes, Unix sockets allow " + (roomBytes - 1) + "; use a shorter directory");
        }
        MemorySegment address = arena.allocate(SOCKADDR_UN);
        address.set(JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(bytes, 0, address, JAVA_BYTE, SUN_PATH, bytes.length);
        return address;
    }

    static int socket(int domain, int type) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) SOCKET.invokeExact(errno, domain, type, 0), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    // SAFETY (bind, connect, setsockopt): segments go to the linker as such, which checks and keeps them alive; the
    // length
    // passed is the segment's own.

    static int bind(int fd, MemorySegment address) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) BIND.invokeExact(errno, fd, address, (int) address.byteSize()), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int connect(int fd, MemorySegment address) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result((int) CONNECT.invokeExact(errno, fd, address, (int) address.byteSize()), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int setsockopt(int fd, int option, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = ErrnoCapture.ofThisThread();
            MemorySegment holder = arena.allocateFrom(JAVA_INT, value);
            return ErrnoCapture.result(
                    (int) SETSOCKOPT.invokeExact(errno, fd, SOL_SOCKET, option, holder, Integer.BYTES), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    // SAFETY (send, recvmmsg, sendmmsg): buffers and header arrays belong to the caller (FrameBatch), which keeps them
    // and
    // everything they point at alive and passes no more headers than it has.

    static long send(int fd, long address, long lengthBytes, int flags) {
        try {
            return (long) SEND.invokeExact(fd, address, lengthBytes, flags);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int recvmmsg(int fd, long headersAddress, int headerCount, int flags) {
        MemorySegment errno = ErrnoCapture.ofThisThread();
        try {
            return ErrnoCapture.result(
                    (int) RECVMMSG.invokeExact(errno, fd, headersAddress, headerCount, flags, 0L), errno);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }

    static int sendmmsg(int fd, long headersAddress, int headerCount, int flags) {
        try {
            return (int) SENDMMSG.invokeExact(fd, headersAddress, headerCount, flags);
        } catch (Throwable thrown) {
            throw CLibrary.unexpected(thrown);
        }
    }
}
