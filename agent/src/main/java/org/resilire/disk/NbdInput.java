package org.resilire.disk;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/**
 * What a client sends, read ahead so that small requests cost one system call or less. Waits without limit; ends when the channel
 * is closed. One thread at a time.
 */
final class NbdInput {

    private static final int BUFFER_BYTES = 64 << 10;

    private final ReadableByteChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).limit(0);

    NbdInput(final ReadableByteChannel channel) {
        this.channel = channel;
    }

    /**
     * Waits until a record is there whole, to be read field by field.
     *
     * @return false if the stream ended before its first byte
     * @throws EOFException if it ended inside
     */
    boolean await(final int recordBytes) throws IOException {
        if (buffer.remaining() >= recordBytes) {
            return true;
        }
        buffer.compact();
        try {
            while (buffer.position() < recordBytes) {
                if (channel.read(buffer) < 0) {
                    if (buffer.position() == 0) {
                        return false;
                    }
                    throw new EOFException("the connection ended inside a message");
                }
            }
        } finally {
            buffer.flip();
        }
        return true;
    }

    /** The same where an end of the stream is not expected. */
    void require(final int recordBytes) throws IOException {
        if (!await(recordBytes)) {
            throw new EOFException("the connection ended inside a message");
        }
    }

    int takeShort() {
        return buffer.getShort() & 0xffff;
    }

    int takeInt() {
        return buffer.getInt();
    }

    long takeLong() {
        return buffer.getLong();
    }

    /** Fills what remains of a buffer, without copying what has not been read ahead. */
    void readFully(final ByteBuffer into) throws IOException {
        final int ahead = Math.min(buffer.remaining(), into.remaining());
        into.put(into.position(), buffer, buffer.position(), ahead);
        into.position(into.position() + ahead);
        buffer.position(buffer.position() + ahead);
        while (into.hasRemaining()) {
            if (channel.read(into) < 0) {
                throw new EOFException("the connection ended inside a message");
            }
        }
    }

    void skip(final long countBytes) throws IOException {
        long left = countBytes;
        while (left > 0) {
            if (!buffer.hasRemaining()) {
                require(1);
            }
            final int piece = (int) Math.min(left, buffer.remaining());
            buffer.position(buffer.position() + piece);
            left -= piece;
        }
    }
}
