package org.resilire.testbed.system;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * What a client of an NBD server might send that means it ill or is out of its mind: a session that is sound but for what the
 * random numbers do to it. Speaks the protocol by its document ({@code doc/proto.md} of the NBD project), not by the server's code.
 */
final class NbdHostileSession {

    private static final long OPTION_MAGIC = 0x49484156454F5054L;
    private static final int REQUEST_MAGIC = 0x25609513;
    private static final int OPT_EXPORT_NAME = 1;
    private static final int OPT_GO = 7;
    private static final int OPT_STRUCTURED_REPLY = 8;
    private static final int OPT_SET_META_CONTEXT = 10;
    private static final int CMD_WRITE = 1;
    private static final int CMD_TRIM = 4;
    private static final int CMD_WRITE_ZEROES = 6;
    private static final int LARGEST_WRITE_BYTES = 600_000;
    private static final int USUAL_BYTES = 3_000;
    private static final int MAX_REQUESTS = 24;
    private static final long WAIT_NANOS = 50_000;

    private final SplittableRandom random;
    private final String export;
    private final int diskBytes;
    private final ByteBuffer session = ByteBuffer.allocate(MAX_REQUESTS * LARGEST_WRITE_BYTES + (1 << 16));

    /** The bytes of the disk that some request in a session asked to be changed. */
    private final BitSet asked;

    NbdHostileSession(final SplittableRandom random, final String export, final int diskBytes) {
        this.random = random;
        this.export = export;
        this.diskBytes = diskBytes;
        asked = new BitSet(diskBytes);
    }

    /** Of all sessions so far. */
    BitSet asked() {
        return asked;
    }

    /** Messages that are whole, with fields that are not sound; where changes are asked for is remembered. */
    ByteBuffer strangeRequests() {
        session.clear();
        negotiate();
        final int count = random.nextInt(1, MAX_REQUESTS);
        for (int i = 0; i < count; i++) {
            request(random.nextInt(4) != 0);
        }
        return cutOff();
    }

    /** Sound messages of which bits are flipped, and parts are missing or come twice. Not for a disk that can be written. */
    ByteBuffer damaged() {
        session.clear();
        negotiate();
        final int count = random.nextInt(MAX_REQUESTS);
        for (int i = 0; i < count; i++) {
            request(true);
        }
        final int flips = random.nextInt(1, 12);
        for (int i = 0; i < flips; i++) {
            // Most of a session are data, in which nothing can go wrong: the beginning is where it can.
            final int at =
                    random.nextInt(random.nextBoolean() ? Math.min(400, session.position()) : session.position());
            session.put(at, (byte) (session.get(at) ^ (1 << random.nextInt(8))));
        }
        if (random.nextInt(3) == 0) {
            repeatPart();
        }
        return cutOff();
    }

    private void repeatPart() {
        final int from = random.nextInt(session.position());
        final int lengthBytes = random.nextInt(Math.min(4_096, session.position() - from));
        final byte[] part = new byte[lengthBytes];
        session.get(from, part);
        session.put(part);
    }

    private void negotiate() {
        // Fixed newstyle, no zeroes.
        session.putInt(3);
        if (random.nextInt(4) == 0) {
            option(OPT_EXPORT_NAME, export.getBytes(StandardCharsets.UTF_8));
            return;
        }
        option(OPT_STRUCTURED_REPLY, new byte[0]);
        if (random.nextBoolean()) {
            option(OPT_SET_META_CONTEXT, metaContext());
        }
        option(OPT_GO, goData());
    }

    private void option(final int option, final byte[] data) {
        session.putLong(OPTION_MAGIC).putInt(option).putInt(data.length).put(data);
    }

    private byte[] goData() {
        final byte[] name = export.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(6 + name.length)
                .putInt(name.length)
                .put(name)
                .putShort((short) 0)
                .array();
    }

    private byte[] metaContext() {
        final byte[] name = export.getBytes(StandardCharsets.UTF_8);
        final byte[] query = "base:allocation".getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(12 + name.length + query.length)
                .putInt(name.length)
                .put(name)
                .putInt(1)
                .putInt(query.length)
                .put(query)
                .array();
    }

    private void request(final boolean isSound) {
        final int command = isSound || random.nextInt(8) != 0 ? random.nextInt(8) : random.nextInt(1 << 16);
        final boolean isWrite = command == CMD_WRITE;
        final int lengthBytes = isWrite ? writeLength() : length(isSound);
        // Sound ones go to the first half: most of the other must be as it was in the end.
        final long offset = isSound ? random.nextLong(diskBytes / 2) : offset();
        session.putInt(isSound || random.nextInt(10) != 0 ? REQUEST_MAGIC : random.nextInt());
        session.putShort((short) (isSound ? 0 : random.nextInt(1 << (random.nextBoolean() ? 4 : 16))));
        session.putShort((short) command).putLong(random.nextLong()).putLong(offset);
        session.putInt(lengthBytes);
        if (isWrite || command == CMD_TRIM || command == CMD_WRITE_ZEROES) {
            noteChange(offset, Integer.toUnsignedLong(lengthBytes));
        }
        if (isWrite) {
            data(isSound || random.nextInt(6) != 0 ? lengthBytes : random.nextInt(LARGEST_WRITE_BYTES));
        }
    }

    /** A range that is not all inside must be refused whole. */
    private void noteChange(final long offset, final long lengthBytes) {
        if (offset >= 0 && lengthBytes <= diskBytes && offset <= diskBytes - lengthBytes) {
            asked.set((int) offset, (int) (offset + lengthBytes));
        }
    }

    private void data(final int lengthBytes) {
        int left = lengthBytes;
        for (; left >= Long.BYTES; left -= Long.BYTES) {
            session.putLong(random.nextLong());
        }
        for (; left > 0; left--) {
            session.put((byte) random.nextInt());
        }
    }

    /** Those that are longer than a server's buffers are taken in pieces. */
    private int writeLength() {
        return random.nextInt(1, random.nextInt(12) == 0 ? LARGEST_WRITE_BYTES : USUAL_BYTES);
    }

    private int length(final boolean isSound) {
        return switch (isSound ? 0 : random.nextInt(5)) {
            case 0 -> random.nextInt(1, USUAL_BYTES);
            case 1 -> 0;
            case 2 -> -1;
            case 3 -> diskBytes + random.nextInt(-2, 3);
            default -> random.nextInt();
        };
    }

    private long offset() {
        return switch (random.nextInt(6)) {
            case 0 -> -random.nextInt(1, 1_000_000);
            case 1 -> Long.MAX_VALUE - random.nextInt(1_000_000);
            case 2 -> Long.MIN_VALUE + random.nextInt(1_000_000);
            case 3 -> diskBytes + (long) random.nextInt(-USUAL_BYTES, USUAL_BYTES);
            case 4 -> random.nextLong();
            default -> random.nextInt(diskBytes / 2);
        };
    }

    private ByteBuffer cutOff() {
        session.flip();
        if (random.nextInt(3) == 0) {
            session.limit(random.nextInt(session.limit() + 1));
        }
        return session;
    }

    /**
     * Sends a session and goes, in one of the ways in which clients do: having read everything, without having read anything, or in
     * the middle of an answer.
     */
    void send(final Path socket, final ByteBuffer bytes) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            channel.configureBlocking(false);
            final Reading reading = Reading.values()[random.nextInt(Reading.values().length)];
            final long giveUpNs = System.nanoTime() + reading.patienceNanos();
            final ByteBuffer sink = ByteBuffer.allocateDirect(1 << 16);
            boolean isOpen = true;
            boolean isFinished = false;
            while (isOpen && System.nanoTime() - giveUpNs < 0) {
                int moved = 0;
                if (bytes.hasRemaining()) {
                    final int limit = bytes.limit();
                    bytes.limit(Math.min(limit, bytes.position() + random.nextInt(1, 1 << 16)));
                    moved = channel.write(bytes);
                    bytes.limit(limit);
                } else if (!isFinished) {
                    channel.shutdownOutput();
                    isFinished = true;
                }
                if (reading != Reading.NOTHING) {
                    final int count = channel.read(sink.clear());
                    isOpen = count >= 0;
                    moved += Math.max(0, count);
                }
                if (moved == 0) {
                    LockSupport.parkNanos(WAIT_NANOS);
                }
            }
            if (isOpen && reading == Reading.EVERYTHING) {
                throw new AssertionError("the server neither answers nor ends the connection");
            }
        } catch (final IOException ended) {
            // The server may have seen enough.
        }
    }

    private enum Reading {
        EVERYTHING(30_000_000_000L),
        SOMETHING(3_000_000),
        NOTHING(3_000_000);

        private final long patienceNanos;

        Reading(final long patienceNanos) {
            this.patienceNanos = patienceNanos;
        }

        long patienceNanos() {
            return patienceNanos;
        }
    }
}
