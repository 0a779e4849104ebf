package org.resilire.control;

import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A text in shared memory that one process writes and any reads without a lock: a version that is odd while the text is
 * being written, and that the reader finds unchanged after it has read.
 *
 * <pre>
 *    0         4              8
 *   ┌─────────┬──────────────┬──────────────────┐
 *   │ version │ length bytes │ UTF-8 ...        │
 *   └─────────┴──────────────┴──────────────────┘
 * </pre>
 */
final class TextRecord {

    static final int LENGTH_BYTES = 1_024;
    static final int MAX_TEXT_BYTES = LENGTH_BYTES - 8;

    private static final int VERSION_OFFSET = 0;
    private static final int LENGTH_OFFSET = 4;
    private static final int TEXT_OFFSET = 8;

    /** A writer needs a microsecond, unless it is off its processor; one that died leaves its version odd for ever. */
    private static final int SPINS = 100;

    private static final int MAX_ATTEMPTS = 2_000;
    private static final long PAUSE_NANOS = 50_000;

    private final UnsafeBuffer buffer;

    TextRecord(final UnsafeBuffer buffer) {
        this.buffer = buffer;
    }

    /** What does not fit is cut off, at a character. Any thread of the writing process. */
    synchronized void write(final String text) {
        final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        final int lengthBytes = cut(bytes);
        final int version = buffer.getInt(VERSION_OFFSET);
        final int writing = version | 1;
        buffer.putIntVolatile(VERSION_OFFSET, writing);
        VarHandle.storeStoreFence();
        buffer.putInt(LENGTH_OFFSET, lengthBytes);
        buffer.putBytes(TEXT_OFFSET, bytes, 0, lengthBytes);
        buffer.putIntVolatile(VERSION_OFFSET, writing + 1);
    }

    /** The text; after some 200 ms the torn remains of one whose writer died while writing it. */
    String read() {
        final byte[] bytes = new byte[MAX_TEXT_BYTES];
        int lengthBytes = 0;
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            final int before = buffer.getIntVolatile(VERSION_OFFSET);
            lengthBytes = Math.clamp(buffer.getInt(LENGTH_OFFSET), 0, MAX_TEXT_BYTES);
            buffer.getBytes(TEXT_OFFSET, bytes, 0, lengthBytes);
            VarHandle.loadLoadFence();
            if ((before & 1) == 0 && buffer.getIntVolatile(VERSION_OFFSET) == before) {
                break;
            }
            if (attempt < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
        return new String(bytes, 0, lengthBytes, StandardCharsets.UTF_8);
    }

    private static int cut(final byte[] bytes) {
        int lengthBytes = Math.min(bytes.length, MAX_TEXT_BYTES);
        if (lengthBytes < bytes.length) {
            // A byte 10xxxxxx goes on with the character before it.
            while (lengthBytes > 0 && (bytes[lengthBytes] & 0xc0) == 0x80) {
                lengthBytes--;
            }
        }
        return lengthBytes;
    }
}
