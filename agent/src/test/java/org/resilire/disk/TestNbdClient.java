package org.resilire.disk;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A client that says exactly what a test wants it to. One thread. */
public final class TestNbdClient implements AutoCloseable {

    private final SocketChannel channel;
    private final DataInputStream in;

    private TestNbdClient(final SocketChannel channel) {
        this.channel = channel;
        in = new DataInputStream(Channels.newInputStream(channel));
    }

    /** An answer to an option. */
    record OptionReply(int type, ByteBuffer data) {}

    /** An answer, or a chunk of one. */
    record Reply(boolean isLast, int type, long cookie, int error, ByteBuffer data) {}

    static TestNbdClient connect(final Path socket) throws IOException {
        final TestNbdClient client = new TestNbdClient(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
        client.in.readLong();
        client.in.readLong();
        client.in.readShort();
        client.send(ByteBuffer.allocate(4).putInt(Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES));
        return client;
    }

    /** Connects and chooses the export with everything that there is. */
    public static TestNbdClient go(final Path socket, final String export) throws IOException {
        final TestNbdClient client = connect(socket);
        client.option(Nbd.OPT_STRUCTURED_REPLY, new byte[0]);
        client.option(Nbd.OPT_SET_META_CONTEXT, metaContext(export, Nbd.BASE_ALLOCATION));
        client.option(Nbd.OPT_GO, name(export));
        return client;
    }

    /** Connects in the oldest way: simple replies only. */
    static TestNbdClient simple(final Path socket, final String export) throws IOException {
        final TestNbdClient client = connect(socket);
        client.sendOption(Nbd.OPT_EXPORT_NAME, export.getBytes(StandardCharsets.UTF_8));
        client.in.readLong();
        client.in.readShort();
        return client;
    }

    static byte[] name(final String export) {
        final byte[] bytes = export.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(6 + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .putShort((short) 0)
                .array();
    }

    static byte[] metaContext(final String export, final String... queries) {
        final ByteBuffer data = ByteBuffer.allocate(1024);
        final byte[] bytes = export.getBytes(StandardCharsets.UTF_8);
        data.putInt(bytes.length).put(bytes).putInt(queries.length);
        for (final String query : queries) {
            final byte[] text = query.getBytes(StandardCharsets.UTF_8);
            data.putInt(text.length).put(text);
        }
        final byte[] used = new byte[data.flip().remaining()];
        data.get(used);
        return used;
    }

    void sendOption(final int option, final byte[] data) throws IOException {
        send(ByteBuffer.allocate(16 + data.length)
                .putLong(Nbd.OPTION_MAGIC)
                .putInt(option)
                .putInt(data.length)
                .put(data));
    }

    /** Answers up to the last one. */
    List<OptionReply> option(final int option, final byte[] data) throws IOException {
        sendOption(option, data);
        final List<OptionReply> replies = new ArrayList<>();
        OptionReply reply;
        do {
            if (in.readLong() != Nbd.OPTION_REPLY_MAGIC || in.readInt() != option) {
                throw new IOException("not an answer to option " + option);
            }
            final int type = in.readInt();
            reply = new OptionReply(type, bytes(in.readInt()));
            replies.add(reply);
        } while (reply.type() >= 0 && reply.type() != Nbd.REP_ACK);
        return replies;
    }

    void request(final int flags, final int command, final long cookie, final long offset, final int lengthBytes)
            throws IOException {
        request(flags, command, cookie, offset, lengthBytes, new byte[0]);
    }

    void request(
            final int flags,
            final int command,
            final long cookie,
            final long offset,
            final int lengthBytes,
            final byte[] data)
            throws IOException {
        send(ByteBuffer.allocate(Nbd.REQUEST_BYTES + data.length)
                .putInt(Nbd.REQUEST_MAGIC)
                .putShort((short) flags)
                .putShort((short) command)
                .putLong(cookie)
                .putLong(offset)
                .putInt(lengthBytes)
                .put(data));
    }

    /** @param simpleDataBytes that follow if the answer is a simple one without error */
    Reply reply(final int simpleDataBytes) throws IOException {
        final int magic = in.readInt();
        if (magic == Nbd.SIMPLE_REPLY_MAGIC) {
            final int error = in.readInt();
            final long cookie = in.readLong();
            return new Reply(true, 0, cookie, error, bytes(error == 0 ? simpleDataBytes : 0));
        }
        if (magic != Nbd.STRUCTURED_REPLY_MAGIC) {
            throw new IOException("neither kind of reply: " + Integer.toHexString(magic));
        }
        final boolean isLast = (in.readShort() & Nbd.REPLY_FLAG_DONE) != 0;
        final int type = in.readUnsignedShort();
        final long cookie = in.readLong();
        final ByteBuffer data = bytes(in.readInt());
        return new Reply(isLast, type, cookie, type == Nbd.REPLY_ERROR ? data.getInt(0) : 0, data);
    }

    /** Reads a whole range. */
    public byte[] read(final long offset, final int lengthBytes, final boolean isStructured) throws IOException {
        request(0, Nbd.CMD_READ, offset, offset, lengthBytes);
        if (!isStructured) {
            return reply(lengthBytes).data().array();
        }
        final byte[] whole = new byte[lengthBytes];
        Reply reply;
        do {
            reply = reply(0);
            if (reply.error() != 0) {
                throw new IOException("error " + reply.error());
            }
            if (reply.type() == Nbd.REPLY_OFFSET_DATA) {
                final int at = (int) (reply.data().getLong(0) - offset);
                reply.data().get(8, whole, at, reply.data().capacity() - 8);
            }
        } while (!reply.isLast());
        return whole;
    }

    /** Sends, waits for the answer and returns its error. */
    int ask(final int flags, final int command, final long offset, final int lengthBytes, final byte[] data)
            throws IOException {
        request(flags, command, 1, offset, lengthBytes, data);
        return reply(0).error();
    }

    void send(final ByteBuffer bytes) throws IOException {
        bytes.flip();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    boolean isAtEnd() {
        try {
            in.readByte();
            return false;
        } catch (final EOFException end) {
            return true;
        } catch (final IOException reset) {
            return true;
        }
    }

    /** Reads and forgets up to the end. */
    void drain() {
        final ByteBuffer sink = ByteBuffer.allocateDirect(1 << 16);
        try {
            while (channel.read(sink.clear()) >= 0) {
                // Nobody looks at it.
            }
        } catch (final IOException ended) {
            // As good an end as any.
        }
    }

    SocketChannel channel() {
        return channel;
    }

    private ByteBuffer bytes(final int lengthBytes) throws IOException {
        final byte[] bytes = new byte[lengthBytes];
        in.readFully(bytes);
        return ByteBuffer.wrap(bytes);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
