package org.resilire.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * Frames to and from a peer as Unix datagrams, one frame each: what QEMU's {@code -netdev dgram} speaks. Non-blocking; the
 * peer is addressed by path with every call, so it may come, go and come back. One thread at a time (two if one only
 * sends and one only receives). Sending and receiving allocate nothing.
 *
 * <p>The kernel queues at most {@code net.unix.max_dgram_qlen} (10 by default) datagrams at a receiver, whatever the buffer
 * sizes: raise that sysctl on hosts whose guests send bursts. It is read when a socket is created.
 */
public final class UnixDatagramSocket implements AutoCloseable {
    private static final int BUFFER_BYTES = 4 << 20;
    private static final int FILE_TYPE_MASK = 0xf000;
    private static final int SOCKET_FILE = 0xc000;

    private final FileDescriptor descriptor;
    private final Path local;
    private final Object localKey;
    private final Path peer;
    private final Arena arena;
    private final MemorySegment peerAddress;
    private long undeliverableFrames;
    private long truncatedFrames;

    private UnixDatagramSocket(
            FileDescriptor descriptor, Path local, Path peer, Arena arena, MemorySegment peerAddress) {
        this.descriptor = descriptor;
        this.local = local;
        this.localKey = key(local);
        this.peer = peer;
        this.arena = arena;
        this.peerAddress = peerAddress;
    }

    /**
     * Binds to {@code local}; a socket there that nobody answers on any more is removed first. The peer need not exist yet.
     *
     * @throws LinuxException {@code EADDRINUSE} if somebody else is bound there, or the path is not a socket
     */
    public static UnixDatagramSocket bind(Path local, Path peer) {
        Arena arena = Arena.ofShared();
        FileDescriptor descriptor = null;
        try {
            MemorySegment localAddress = SysSocket.unixAddress(local, arena);
            MemorySegment peerAddress = SysSocket.unixAddress(peer, arena);
            removeStale(local, localAddress);
            descriptor = open(local);
            LinuxException.check(SysSocket.bind(descriptor.number(), localAddress), "bind", local.toString());
            enlarge(descriptor, SysSocket.SO_SNDBUFFORCE, SysSocket.SO_SNDBUF);
            enlarge(descriptor, SysSocket.SO_RCVBUFFORCE, SysSocket.SO_RCVBUF);
            return new UnixDatagramSocket(descriptor, local, peer, arena, peerAddress);
        } catch (RuntimeException failure) {
            if (descriptor != null) {
                descriptor.close();
            }
            arena.close();
            throw failure;
        }
    }

    private static FileDescriptor open(Path local) {
        int type = SysSocket.SOCK_DGRAM | SysSocket.SOCK_NONBLOCK | SysSocket.SOCK_CLOEXEC;
        return FileDescriptor.adopt(SysSocket.socket(SysSocket.AF_UNIX, type), "socket", local.toString());
    }

    /** Beyond the sysctl's limit where that is allowed, else up to it. */
    private static void enlarge(FileDescriptor descriptor, int force, int plain) {
        if (SysSocket.setsockopt(descriptor.number(), force, BUFFER_BYTES) < 0) {
            LinuxException.check(
                    SysSocket.setsockopt(descriptor.number(), plain, BUFFER_BYTES), "setsockopt", descriptor.object());
        }
    }

    private static void removeStale(Path local, MemorySegment localAddress) {
        if (!Files.exists(local, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            int mode = (int) Files.getAttribute(local, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            if ((mode & FILE_TYPE_MASK) != SOCKET_FILE) {
                throw new LinuxException(
                        "bind", local.toString(), Errno.EADDRINUSE, "the file there is not a socket; remove it");
            }
            try (FileDescriptor probe = open(local)) {
                if (SysSocket.connect(probe.number(), localAddress) != -Errno.ECONNREFUSED.number()) {
                    throw new LinuxException(
                            "bind", local.toString(), Errno.EADDRINUSE, "a running process is bound there");
                }
            }
            Files.deleteIfExists(local);
        } catch (IOException e) {
            LinuxException failure = new LinuxException("unlink", local.toString(), Errno.EIO);
            failure.initCause(e);
            throw failure;
        }
    }

    /**
     * Takes what is waiting, up to the batch's capacity, and returns the number of frames, 0 if there are none. A frame
     * longer than the batch's frames is counted in {@link #truncatedFrames} and arrives with length 0.
     */
    public int receive(FrameBatch batch) {
        batch.prepareToReceive();
        int capacity = batch.capacity();
        int result = SysSocket.recvmmsg(
                descriptor.number(), batch.headerAddress(0, capacity), capacity, SysSocket.MSG_DONTWAIT);
        if (result == -Errno.EAGAIN.number() || result == -Errno.EINTR.number()) {
            return 0;
        }
        if (result < 0) {
            throw LinuxException.failure(result, "recvmmsg", local.toString());
        }
        truncatedFrames += batch.finishReceive(result);
        return result;
    }

    /**
     * Memory of what was sent and the peer has not taken yet, in bytes, more than the frames have; 0 says that it has taken
     * everything. Any thread.
     *
     * @param scratch room for an int of the calling thread's
     */
    public int untakenBytes(MemorySegment scratch) {
        if (scratch.byteSize() < Integer.BYTES) {
            throw new IllegalArgumentException("no room for the answer");
        }
        NativeMemory.requireAlive(scratch);
        // SAFETY: the kernel writes an int, for which there is room, as was just checked.
        int result = Ioctl.ioctl(descriptor.number(), Ioctl.SIOCOUTQ, scratch.address());
        LinuxException.check(result, "ioctl SIOCOUTQ", local.toString());
        return scratch.get(ValueLayout.JAVA_INT, 0);
    }

    /**
     * Sends frames {@code from} to {@code from + count} and returns how many are dealt with: fewer than {@code count} when
     * the peer's queue is full (try the rest again later). With no peer there, frames are lost as on a wire: they count as
     * dealt with, and in {@link #undeliverableFrames}.
     */
    public int send(FrameBatch batch, int from, int count) {
        batch.prepareToSend(from, count, peerAddress.address(), (int) peerAddress.byteSize());
        int sent = 0;
        while (sent < count) {
            int left = count - sent;
            long headers = batch.headerAddress(from + sent, left);
            int result = SysSocket.sendmmsg(
                    descriptor.number(), headers, left, SysSocket.MSG_DONTWAIT | SysSocket.MSG_NOSIGNAL);
            if (result > 0) {
                sent += result;
            } else if (isPeerMissing(result)) {
                undeliverableFrames += left;
                return count;
            } else if (isPeerBusy(result)) {
                return sent;
            } else if (result != -Errno.EINTR.number()) {
                throw LinuxException.failure(result, "sendmmsg", peer.toString());
            }
        }
        return sent;
    }

    private static boolean isPeerMissing(int result) {
        return result == -Errno.ENOENT.number() || result == -Errno.ECONNREFUSED.number();
    }

    private static boolean isPeerBusy(int result) {
        return result == -Errno.EAGAIN.number() || result == -Errno.ENOBUFS.number();
    }

    /** Frames sent while nobody was bound to the peer's path. Read by the sending thread. */
    public long undeliverableFrames() {
        return undeliverableFrames;
    }

    /** Frames received that were longer than the batch's frames. Read by the receiving thread. */
    public long truncatedFrames() {
        return truncatedFrames;
    }

    public int number() {
        return descriptor.number();
    }

    /** Closes and removes the local path, unless somebody has put another socket there meanwhile. */
    @Override
    public void close() {
        if (!descriptor.isOpen()) {
            return;
        }
        descriptor.close();
        arena.close();
        if (localKey != null && localKey.equals(key(local))) {
            local.toFile().delete();
        }
    }

    /** Device and inode; null if there is no such file. */
    private static Object key(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (IOException e) {
            return null;
        }
    }
}
