package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A TAP interface: Ethernet frames to and from the host's network stack, without the packet information header. Non-blocking,
 * one thread at a time (two if one only reads and one only writes), allocates nothing. The interface goes away with the
 * descriptor unless it was made persistent beforehand; bringing it up and into a bridge is the host's affair.
 */
public final class TapDevice implements AutoCloseable {
    private static final Path CLONE_DEVICE = Path.of("/dev/net/tun");

    private final FileDescriptor descriptor;
    private final String name;
    private long droppedFrames;

    private TapDevice(FileDescriptor descriptor, String name) {
        this.descriptor = descriptor;
        this.name = name;
    }

    /** Creates the interface, or attaches to a persistent one; at most 15 characters. Needs {@code CAP_NET_ADMIN}. */
    public static TapDevice open(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length >= IfTun.IFNAMSIZ) {
            throw new IllegalArgumentException("an interface name has 1 to 15 characters, not \"" + name + '"');
        }
        FileDescriptor descriptor = FileDescriptor.open(CLONE_DEVICE, Fcntl.O_RDWR | Fcntl.O_NONBLOCK);
        try (Arena arena = Arena.ofConfined()) {
            // SAFETY: TUNSETIFF reads and writes one ifreq, which this arena holds during the call.
            MemorySegment request = arena.allocate(IfTun.IFREQ);
            MemorySegment.copy(bytes, 0, request, JAVA_BYTE, 0, bytes.length);
            request.set(JAVA_SHORT, IfTun.IFR_FLAGS, (short) (IfTun.IFF_TAP | IfTun.IFF_NO_PI));
            int result = Ioctl.ioctl(descriptor.number(), IfTun.TUNSETIFF, request.address());
            if (result < 0) {
                throw LinuxException.failure(result, "TUNSETIFF", "TAP interface " + name, advice(result));
            }
            return new TapDevice(descriptor, name);
        } catch (RuntimeException failure) {
            descriptor.close();
            throw failure;
        }
    }

    private static String advice(int result) {
        return switch (Errno.of(-result)) {
            case EPERM -> "run as root or grant CAP_NET_ADMIN";
            case EBUSY -> "another process has it open";
            case EINVAL -> "an interface of that name exists and is not a TAP, or the name is not allowed";
            default -> "";
        };
    }

    /** Reads one frame and returns its length, 0 if none is waiting. A longer frame is cut off at the capacity. */
    public int read(MemorySegment into, long offset, int capacityBytes) {
        long result;
        try {
            result = Unistd.read(descriptor.number(), NativeMemory.address(into, offset, capacityBytes), capacityBytes);
        } finally {
            Reference.reachabilityFence(into);
        }
        if (result >= 0) {
            return (int) result;
        }
        if (result == -Errno.EAGAIN.number() || result == -Errno.EINTR.number()) {
            return 0;
        }
        throw LinuxException.failure(result, "read", "TAP interface " + name);
    }

    /**
     * Writes one frame; false if that would block (try again later). While the interface is down frames are lost as on an
     * unplugged wire: true, counted in {@link #droppedFrames}.
     */
    public boolean write(MemorySegment from, long offset, int lengthBytes) {
        long result;
        try {
            result = Unistd.write(descriptor.number(), NativeMemory.address(from, offset, lengthBytes), lengthBytes);
        } finally {
            Reference.reachabilityFence(from);
        }
        if (result >= 0) {
            return true;
        }
        if (result == -Errno.EIO.number()) {
            droppedFrames++;
            return true;
        }
        if (result == -Errno.EAGAIN.number() || result == -Errno.ENOBUFS.number() || result == -Errno.EINTR.number()) {
            return false;
        }
        throw LinuxException.failure(result, "write", "TAP interface " + name);
    }

    /** Frames written while the interface was down. Read by the writing thread. */
    public long droppedFrames() {
        return droppedFrames;
    }

    public String name() {
        return name;
    }

    public int number() {
        return descriptor.number();
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
