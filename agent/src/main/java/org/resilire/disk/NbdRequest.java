package org.resilire.disk;

import java.io.IOException;

/** A request's header, read over and over into the same object. Owned by one worker. */
final class NbdRequest {

    private static final int QUICK_BYTES = 64 << 10;

    private int flags;
    private int command;
    private long cookie;
    private long offset;
    private long lengthBytes;

    /**
     * Waits for the next request.
     *
     * @return false if the client has closed the connection
     * @throws NbdProtocolException if it is none
     */
    boolean read(final NbdInput input) throws IOException {
        if (!input.await(Nbd.REQUEST_BYTES)) {
            return false;
        }
        final int magic = input.takeInt();
        if (magic != Nbd.REQUEST_MAGIC) {
            throw new NbdProtocolException("a request without its magic number");
        }
        flags = input.takeShort();
        command = input.takeShort();
        cookie = input.takeLong();
        offset = input.takeLong();
        lengthBytes = Integer.toUnsignedLong(input.takeInt());
        return true;
    }

    int command() {
        return command;
    }

    boolean has(final int flag) {
        return (flags & flag) != 0;
    }

    /** What the client knows the request by, to be sent back with the answer. */
    long cookie() {
        return cookie;
    }

    long offset() {
        return offset;
    }

    long lengthBytes() {
        return lengthBytes;
    }

    /**
     * Why the request cannot be served, as an error of the protocol.
     *
     * @return 0 if it can
     */
    int problem(final NbdExport export, final boolean reportsAllocation) {
        final ServedDisk image = export.image();
        final int allowedFlags;
        switch (command) {
            case Nbd.CMD_READ -> allowedFlags = Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_DF;
            case Nbd.CMD_WRITE, Nbd.CMD_TRIM -> allowedFlags = Nbd.CMD_FLAG_FUA;
            case Nbd.CMD_WRITE_ZEROES -> allowedFlags = Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_NO_HOLE;
            case Nbd.CMD_BLOCK_STATUS -> allowedFlags = Nbd.CMD_FLAG_FUA | Nbd.CMD_FLAG_REQ_ONE;
            case Nbd.CMD_FLUSH -> {
                return (flags & ~Nbd.CMD_FLAG_FUA) == 0 && offset == 0 && lengthBytes == 0 ? 0 : Nbd.EINVAL;
            }
            default -> {
                return Nbd.EINVAL;
            }
        }
        final boolean isChange = command != Nbd.CMD_READ && command != Nbd.CMD_BLOCK_STATUS;
        if (isChange && (image.isReadOnly() || !export.gate().isOpen())) {
            return Nbd.EPERM;
        }
        if ((flags & ~allowedFlags) != 0
                || lengthBytes == 0
                || (command == Nbd.CMD_READ && lengthBytes > Nbd.MAX_READ_BYTES)
                || (command == Nbd.CMD_BLOCK_STATUS && !reportsAllocation)) {
            return Nbd.EINVAL;
        }
        if (offset < 0 || offset > image.lengthBytes() - lengthBytes) {
            return isChange ? Nbd.ENOSPC : Nbd.EINVAL;
        }
        return 0;
    }

    /** Whether it is done so soon that no other thread need read the next request meanwhile. */
    boolean isQuick(final ServedDisk image) {
        return switch (command) {
            case Nbd.CMD_WRITE ->
                lengthBytes <= QUICK_BYTES && !has(Nbd.CMD_FLAG_FUA) && image.isReadyFor(DiskChange.WRITE, lengthBytes);
            case Nbd.CMD_FLUSH -> !image.needsFlush();
            default -> false;
        };
    }
}
