package org.resilire.disk;

import java.io.IOException;
import org.resilire.linux.LinuxException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Receives, carries out and answers one request at a time. Owned by one thread. */
final class NbdWorker implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(NbdWorker.class);

    private static final int DATA_BYTES = NbdReplies.DATA_BYTES;
    private static final int DATA_OFFSET = NbdReplies.DATA_OFFSET;
    private static final int QUICK_READ_BYTES = 64 << 10;
    private static final int MAX_DESCRIPTORS = 1024;
    private static final int DESCRIPTOR_BYTES = 2 * Integer.BYTES;
    private static final String NOT_POSSIBLE = "this server cannot do that";

    private final NbdInput input;
    private final NbdReplies replies;
    private final NbdExport export;
    private final ServedDisk image;
    private final boolean reportsAllocation;
    private final NbdRequest request = new NbdRequest();

    /** What has come of the request in hand: 0, or an error of the protocol. */
    private int problem;

    /** The request in hand was carried out while it was received. */
    private boolean isDone;

    NbdWorker(final NbdInput input, final NbdReplies replies, final NbdNegotiation.Agreement agreement) {
        this.input = input;
        this.replies = replies;
        this.export = agreement.export();
        this.image = export.image();
        this.reportsAllocation = agreement.reportsAllocation();
    }

    /**
     * Receives the next request with the data that belong to it, and carries out at once what must not wait for others to be
     * received: writes that are too long to be held. Called by the thread whose turn it is to read.
     *
     * @return false if there is none: the client is leaving
     */
    boolean receive() throws IOException {
        if (!request.read(input) || request.command() == Nbd.CMD_DISC) {
            return false;
        }
        problem = request.problem(export, reportsAllocation);
        isDone = false;
        if (request.command() == Nbd.CMD_WRITE) {
            receiveData();
        }
        return true;
    }

    private void receiveData() throws IOException {
        if (problem != 0) {
            input.skip(request.lengthBytes());
        } else if (request.lengthBytes() <= DATA_BYTES) {
            input.readFully(replies.data((int) request.lengthBytes()));
        } else {
            writeInPieces();
            isDone = true;
        }
    }

    private void writeInPieces() throws IOException {
        final long lengthBytes = request.lengthBytes();
        for (long done = 0; done < lengthBytes; ) {
            final int pieceBytes = (int) Math.min(DATA_BYTES, lengthBytes - done);
            input.readFully(replies.data(pieceBytes));
            if (problem == 0) {
                try {
                    writePiece(request.offset() + done, pieceBytes);
                } catch (final LinuxException failure) {
                    problem = errorOf(failure);
                }
            }
            done += pieceBytes;
        }
    }

    /** Whether the same thread may carry the request out before anybody reads the next one. */
    boolean isQuick() {
        if (problem != 0 || isDone || request.isQuick(image)) {
            return true;
        }
        if (request.command() != Nbd.CMD_READ || request.lengthBytes() > QUICK_READ_BYTES) {
            return false;
        }
        isDone = image.readCached(replies.memory(), DATA_OFFSET, request.lengthBytes(), request.offset());
        return isDone;
    }

    /** Carries out what was received, and answers it. */
    void complete() throws IOException {
        if (problem == 0) {
            try {
                carryOut();
                return;
            } catch (final LinuxException failure) {
                problem = errorOf(failure);
            }
        }
        replies.error(request.cookie(), problem, NOT_POSSIBLE);
    }

    private void carryOut() throws IOException {
        final long offset = request.offset();
        final long lengthBytes = request.lengthBytes();
        final boolean isDurable = request.has(Nbd.CMD_FLAG_FUA);
        switch (request.command()) {
            case Nbd.CMD_READ -> {
                read();
                return;
            }
            case Nbd.CMD_BLOCK_STATUS -> {
                replies.blockStatus(request.cookie(), describe());
                return;
            }
            case Nbd.CMD_WRITE -> {
                if (!isDone) {
                    writePiece(offset, (int) lengthBytes);
                }
            }
            case Nbd.CMD_TRIM -> image.trim(offset, lengthBytes, isDurable);
            case Nbd.CMD_WRITE_ZEROES -> image.zero(offset, lengthBytes, request.has(Nbd.CMD_FLAG_NO_HOLE), isDurable);
            case Nbd.CMD_FLUSH -> image.flush();
            default -> throw new IllegalStateException("command " + request.command() + " was let through");
        }
        replies.done(request.cookie());
    }

    private void writePiece(final long diskOffset, final int lengthBytes) {
        image.write(replies.memory(), DATA_OFFSET, lengthBytes, diskOffset, request.has(Nbd.CMD_FLAG_FUA));
    }

    private void read() throws IOException {
        final long offset = request.offset();
        final int lengthBytes = (int) request.lengthBytes();
        if (lengthBytes <= DATA_BYTES) {
            if (!isDone) {
                image.read(replies.memory(), DATA_OFFSET, lengthBytes, offset);
            }
            replies.readWhole(request.cookie(), offset, lengthBytes);
        } else if (replies.isStructured() && !request.has(Nbd.CMD_FLAG_DF)) {
            readChunks(offset, lengthBytes);
        } else {
            readInOne(offset, lengthBytes);
        }
    }

    /** Each chunk stands for itself: other answers may come between, and a failure is told by one. */
    private void readChunks(final long offset, final int lengthBytes) throws IOException {
        for (int done = 0; done < lengthBytes; ) {
            final int pieceBytes = Math.min(DATA_BYTES, lengthBytes - done);
            image.read(replies.memory(), DATA_OFFSET, pieceBytes, offset + done);
            done += pieceBytes;
            replies.readChunk(request.cookie(), offset + done - pieceBytes, pieceBytes, done == lengthBytes);
        }
    }

    /** One header, then all the data, between which nothing else may be sent. */
    private void readInOne(final long offset, final int lengthBytes) throws IOException {
        image.read(replies.memory(), DATA_OFFSET, DATA_BYTES, offset);
        replies.outputLock().lock();
        try {
            if (replies.isStructured()) {
                replies.readHeader(request.cookie(), offset, lengthBytes);
            } else {
                replies.simpleHeader(request.cookie());
            }
            replies.raw(DATA_BYTES);
            for (int done = DATA_BYTES; done < lengthBytes; ) {
                final int pieceBytes = Math.min(DATA_BYTES, lengthBytes - done);
                readAfterHeader(offset + done, pieceBytes);
                replies.raw(pieceBytes);
                done += pieceBytes;
            }
            if (replies.isStructured()) {
                replies.lastChunk(request.cookie());
            }
        } finally {
            replies.outputLock().unlock();
        }
    }

    /** The header has promised success, so that a failure can only end the connection. */
    private void readAfterHeader(final long offset, final int lengthBytes) throws NbdProtocolException {
        try {
            image.read(replies.memory(), DATA_OFFSET, lengthBytes, offset);
        } catch (final LinuxException failure) {
            LOG.warn("The connection ends because the answer to a read had begun: {}", failure.getMessage());
            throw new NbdProtocolException("a read failed behind its header");
        }
    }

    /** Writes descriptors of the range's extents into the memory, and returns their length with that of the context's number. */
    private int describe() {
        final long end = request.offset() + request.lengthBytes();
        final int limit = request.has(Nbd.CMD_FLAG_REQ_ONE) ? 1 : MAX_DESCRIPTORS;
        final var data = replies.data(Integer.BYTES + limit * DESCRIPTOR_BYTES);
        data.putInt(Nbd.BASE_ALLOCATION_ID);
        long at = request.offset();
        for (int i = 0; i < limit && at < end; i++) {
            final boolean isHole = image.isHole(at);
            final long extentEnd = Math.min(end, image.extentEnd(at, isHole));
            data.putInt((int) (extentEnd - at)).putInt(isHole ? Nbd.STATE_HOLE | Nbd.STATE_ZERO : 0);
            at = extentEnd;
        }
        return data.position() - DATA_OFFSET;
    }

    private int errorOf(final LinuxException failure) {
        LOG.warn("A client's request failed: {}", failure.getMessage());
        return switch (failure.errno()) {
            case EPERM, EACCES, EROFS -> Nbd.EPERM;
            case ENOSPC, EDQUOT, EFBIG -> Nbd.ENOSPC;
            case ENOMEM -> Nbd.ENOMEM;
            case EINVAL -> Nbd.EINVAL;
            case EOPNOTSUPP -> Nbd.ENOTSUP;
            default -> Nbd.EIO;
        };
    }

    @Override
    public void close() {
        replies.close();
    }
}
