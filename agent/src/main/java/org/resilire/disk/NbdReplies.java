package org.resilire.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import org.resilire.linux.AnonymousMemory;

/**
 * A worker's memory for one request at a time, and the answers made in it: a header stands right before the data, so that both
 * leave in one system call. The lock is the connection's; what must not be torn apart is sent under it.
 *
 * <pre>
 *   0          64 - header   64                 64 + 1 MiB
 *   ┌─────────┬────────────┬──────────────────┐
 *   │ unused  │ header     │ data ...         │
 *   └─────────┴────────────┴──────────────────┘
 * </pre>
 */
final class NbdReplies implements AutoCloseable {

    /** Room for data; longer requests are served in pieces. */
    static final int DATA_BYTES = 1 << 20;

    static final int DATA_OFFSET = 64;

    private static final int CHUNK_OFFSET_BYTES = Long.BYTES;

    private final WritableByteChannel channel;
    private final ReentrantLock outputLock;
    private final boolean isStructured;
    private final AnonymousMemory memory = AnonymousMemory.reserve("NBD requests", DATA_OFFSET + DATA_BYTES);
    private final ByteBuffer buffer = memory.segment().asByteBuffer();

    NbdReplies(final WritableByteChannel channel, final ReentrantLock outputLock, final boolean isStructured) {
        this.channel = channel;
        this.outputLock = outputLock;
        this.isStructured = isStructured;
    }

    boolean isStructured() {
        return isStructured;
    }

    /** Data stands here from {@link #DATA_OFFSET} on. */
    MemorySegment memory() {
        return memory.segment();
    }

    /** The buffer over this much of the data, to be filled or read. */
    ByteBuffer data(final int lengthBytes) {
        return buffer.clear().position(DATA_OFFSET).limit(DATA_OFFSET + lengthBytes);
    }

    /** For sequences of answers that belong together; the caller unlocks. */
    ReentrantLock outputLock() {
        return outputLock;
    }

    /** Success without data. */
    void done(final long cookie) throws IOException {
        simple(cookie, 0, 0);
    }

    /** Success with all the data, which stands in the memory. */
    void readWhole(final long cookie, final long diskOffset, final int lengthBytes) throws IOException {
        if (isStructured) {
            readChunk(cookie, diskOffset, lengthBytes, true);
        } else {
            simple(cookie, 0, lengthBytes);
        }
    }

    /** Some of the data as one chunk. */
    void readChunk(final long cookie, final long diskOffset, final int lengthBytes, final boolean isLast)
            throws IOException {
        final int at = DATA_OFFSET - CHUNK_OFFSET_BYTES - Nbd.STRUCTURED_REPLY_BYTES;
        data(lengthBytes);
        structured(at, isLast, Nbd.REPLY_OFFSET_DATA, cookie, CHUNK_OFFSET_BYTES + lengthBytes);
        buffer.putLong(DATA_OFFSET - CHUNK_OFFSET_BYTES, diskOffset);
        send(at, DATA_OFFSET + lengthBytes);
    }

    /** The header of one chunk, whose data follows by {@link #raw}. */
    void readHeader(final long cookie, final long diskOffset, final int lengthBytes) throws IOException {
        final int at = DATA_OFFSET - CHUNK_OFFSET_BYTES - Nbd.STRUCTURED_REPLY_BYTES;
        structured(at, false, Nbd.REPLY_OFFSET_DATA, cookie, CHUNK_OFFSET_BYTES + lengthBytes);
        buffer.putLong(DATA_OFFSET - CHUNK_OFFSET_BYTES, diskOffset);
        send(at, DATA_OFFSET);
    }

    /** The header of a simple answer, whose data follows by {@link #raw}. */
    void simpleHeader(final long cookie) throws IOException {
        simple(cookie, 0, 0);
    }

    /** Data whose header has been sent. */
    void raw(final int lengthBytes) throws IOException {
        data(lengthBytes);
        send(DATA_OFFSET, DATA_OFFSET + lengthBytes);
    }

    /** Ends an answer of several chunks. */
    void lastChunk(final long cookie) throws IOException {
        final int at = DATA_OFFSET - Nbd.STRUCTURED_REPLY_BYTES;
        structured(at, true, Nbd.REPLY_NONE, cookie, 0);
        send(at, DATA_OFFSET);
    }

    /** Descriptors, which stand in the memory behind the context's number. */
    void blockStatus(final long cookie, final int lengthBytes) throws IOException {
        final int at = DATA_OFFSET - Nbd.STRUCTURED_REPLY_BYTES;
        structured(at, true, Nbd.REPLY_BLOCK_STATUS, cookie, lengthBytes);
        send(at, DATA_OFFSET + lengthBytes);
    }

    /** Failure of the whole request. */
    void error(final long cookie, final int error, final String message) throws IOException {
        if (!isStructured) {
            simple(cookie, error, 0);
            return;
        }
        final byte[] text = message.getBytes(StandardCharsets.UTF_8);
        final int payloadBytes = Integer.BYTES + Short.BYTES + text.length;
        final int at = DATA_OFFSET - Nbd.STRUCTURED_REPLY_BYTES;
        structured(at, true, Nbd.REPLY_ERROR, cookie, payloadBytes);
        buffer.clear().position(DATA_OFFSET);
        buffer.putInt(error).putShort((short) text.length).put(text);
        send(at, DATA_OFFSET + payloadBytes);
    }

    private void simple(final long cookie, final int error, final int dataBytes) throws IOException {
        final int at = DATA_OFFSET - Nbd.SIMPLE_REPLY_BYTES;
        data(dataBytes);
        buffer.putInt(at, Nbd.SIMPLE_REPLY_MAGIC);
        buffer.putInt(at + 4, error);
        buffer.putLong(at + 8, cookie);
        send(at, DATA_OFFSET + dataBytes);
    }

    private void structured(
            final int at, final boolean isLast, final int type, final long cookie, final int payloadBytes) {
        buffer.clear();
        buffer.putInt(at, Nbd.STRUCTURED_REPLY_MAGIC);
        buffer.putShort(at + 4, (short) (isLast ? Nbd.REPLY_FLAG_DONE : 0));
        buffer.putShort(at + 6, (short) type);
        buffer.putLong(at + 8, cookie);
        buffer.putInt(at + 16, payloadBytes);
    }

    private void send(final int from, final int to) throws IOException {
        buffer.clear().position(from).limit(to);
        outputLock.lock();
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        } finally {
            outputLock.unlock();
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
