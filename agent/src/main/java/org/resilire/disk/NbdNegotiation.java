package org.resilire.disk;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** The fixed newstyle handshake: options and their answers, until a client has chosen an export or leaves. One thread. */
final class NbdNegotiation {

    private static final int MAX_OPTION_BYTES = 16 << 10;
    private static final int MAX_DRAINED_OPTION_BYTES = 1 << 20;
    private static final int MAX_OPTIONS = 4096;
    private static final int ANSWER_BYTES = 1024;

    private final NbdInput input;
    private final WritableByteChannel channel;
    private final Map<String, NbdExport> exports = new LinkedHashMap<>();
    private final ByteBuffer answer = ByteBuffer.allocateDirect(ANSWER_BYTES);

    private boolean omitsPadding;
    private boolean isStructured;

    /** The export for which {@code base:allocation} was chosen last; null if for none. */
    private NbdExport allocationOf;

    NbdNegotiation(final NbdInput input, final WritableByteChannel channel, final Collection<NbdExport> exports) {
        this.input = input;
        this.channel = channel;
        exports.forEach(export -> this.exports.put(export.name(), export));
    }

    /**
     * What was agreed.
     *
     * @param reportsAllocation whether {@code base:allocation} was chosen
     */
    record Agreement(NbdExport export, boolean isStructured, boolean reportsAllocation) {}

    /**
     * Negotiates.
     *
     * @return null if the client left in good order
     */
    Agreement negotiate() throws IOException {
        answer.clear().putLong(Nbd.INIT_MAGIC).putLong(Nbd.OPTION_MAGIC);
        answer.putShort((short) (Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES));
        send();
        if (!input.await(Integer.BYTES)) {
            return null;
        }
        final int clientFlags = input.takeInt();
        if ((clientFlags & ~(Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES)) != 0) {
            throw new NbdProtocolException("unknown client flags " + Integer.toHexString(clientFlags));
        }
        omitsPadding = (clientFlags & Nbd.FLAG_NO_ZEROES) != 0;
        for (int i = 0; i < MAX_OPTIONS; i++) {
            if (!input.await(Long.BYTES + 2 * Integer.BYTES)) {
                return null;
            }
            if (input.takeLong() != Nbd.OPTION_MAGIC) {
                throw new NbdProtocolException("an option without its magic number");
            }
            final int option = input.takeInt();
            final NbdExport chosen = haggle(option, Integer.toUnsignedLong(input.takeInt()));
            if (chosen != null) {
                return new Agreement(chosen, isStructured, chosen.equals(allocationOf));
            }
            if (option == Nbd.OPT_ABORT) {
                return null;
            }
        }
        throw new NbdProtocolException("more than " + MAX_OPTIONS + " options");
    }

    private NbdExport haggle(final int option, final long lengthBytes) throws IOException {
        if (lengthBytes > MAX_DRAINED_OPTION_BYTES) {
            throw new NbdProtocolException("an option of " + lengthBytes + " bytes");
        }
        if (lengthBytes > MAX_OPTION_BYTES) {
            input.skip(lengthBytes);
            if (option == Nbd.OPT_EXPORT_NAME) {
                throw new NbdProtocolException("an export's name of " + lengthBytes + " bytes");
            }
            reply(option, Nbd.REP_ERR_TOO_BIG, "an option may have " + MAX_OPTION_BYTES + " bytes");
            return null;
        }
        final ByteBuffer data = ByteBuffer.allocate((int) lengthBytes);
        input.readFully(data);
        data.flip();
        try {
            return haggle(option, data);
        } catch (final BufferUnderflowException truncated) {
            reply(option, Nbd.REP_ERR_INVALID, "the option ends before its fields do");
            return null;
        }
    }

    private NbdExport haggle(final int option, final ByteBuffer data) throws IOException {
        switch (option) {
            case Nbd.OPT_EXPORT_NAME -> {
                return exportName(text(data, data.remaining()));
            }
            case Nbd.OPT_ABORT -> reply(option, Nbd.REP_ACK, "");
            case Nbd.OPT_LIST -> list(data);
            case Nbd.OPT_INFO -> inform(option, data);
            case Nbd.OPT_GO -> {
                return inform(option, data);
            }
            case Nbd.OPT_STRUCTURED_REPLY -> {
                if (data.hasRemaining()) {
                    reply(option, Nbd.REP_ERR_INVALID, "this option has no data");
                } else {
                    isStructured = true;
                    reply(option, Nbd.REP_ACK, "");
                }
            }
            case Nbd.OPT_LIST_META_CONTEXT, Nbd.OPT_SET_META_CONTEXT -> metaContext(option, data);
            default -> reply(option, Nbd.REP_ERR_UNSUP, "this server does not know this option");
        }
        return null;
    }

    /** The oldest way in: it knows no error but the end of the connection. */
    private NbdExport exportName(final String name) throws IOException {
        final NbdExport export = find(name);
        if (export == null) {
            throw new NbdProtocolException("an export that does not exist was asked for");
        }
        answer.clear().putLong(export.image().lengthBytes()).putShort((short) export.flags());
        if (!omitsPadding) {
            for (int i = 0; i < Nbd.EXPORT_NAME_PADDING_BYTES; i++) {
                answer.put((byte) 0);
            }
        }
        send();
        return export;
    }

    private void list(final ByteBuffer data) throws IOException {
        if (data.hasRemaining()) {
            reply(Nbd.OPT_LIST, Nbd.REP_ERR_INVALID, "this option has no data");
            return;
        }
        for (final String name : exports.keySet()) {
            final byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            begin(Nbd.OPT_LIST, Nbd.REP_SERVER, Integer.BYTES + bytes.length);
            answer.putInt(bytes.length).put(bytes);
            send();
        }
        reply(Nbd.OPT_LIST, Nbd.REP_ACK, "");
    }

    private NbdExport inform(final int option, final ByteBuffer data) throws IOException {
        final NbdExport export = find(text(data, data.getInt()));
        final int requests = data.getShort() & 0xffff;
        boolean wantsName = false;
        for (int i = 0; i < requests; i++) {
            wantsName |= data.getShort() == Nbd.INFO_NAME;
        }
        if (data.hasRemaining()) {
            reply(option, Nbd.REP_ERR_INVALID, "the option goes on behind its last field");
            return null;
        }
        if (export == null) {
            reply(option, Nbd.REP_ERR_UNKNOWN, "there is no such export");
            return null;
        }
        begin(option, Nbd.REP_INFO, 12);
        answer.putShort((short) Nbd.INFO_EXPORT);
        answer.putLong(export.image().lengthBytes()).putShort((short) export.flags());
        send();
        if (wantsName) {
            final byte[] bytes = export.name().getBytes(StandardCharsets.UTF_8);
            begin(option, Nbd.REP_INFO, Short.BYTES + bytes.length);
            answer.putShort((short) Nbd.INFO_NAME).put(bytes);
            send();
        }
        begin(option, Nbd.REP_INFO, 14);
        answer.putShort((short) Nbd.INFO_BLOCK_SIZE);
        answer.putInt(1).putInt(Nbd.PREFERRED_BLOCK_BYTES).putInt(Nbd.MAX_READ_BYTES);
        send();
        reply(option, Nbd.REP_ACK, "");
        return export;
    }

    private void metaContext(final int option, final ByteBuffer data) throws IOException {
        final boolean isSetting = option == Nbd.OPT_SET_META_CONTEXT;
        if (isSetting) {
            // Whatever comes of it, an earlier choice no longer holds.
            allocationOf = null;
        }
        if (!isStructured) {
            reply(option, Nbd.REP_ERR_INVALID, "structured replies come first");
            return;
        }
        final NbdExport export = find(text(data, data.getInt()));
        final int queries = data.getInt();
        boolean matches = queries == 0 && !isSetting;
        for (int i = 0; i < queries || (queries < 0 && data.hasRemaining()); i++) {
            final String query = text(data, data.getInt());
            matches |= query.equals(Nbd.BASE_ALLOCATION) || (query.equals("base:") && !isSetting);
        }
        if (data.hasRemaining() || queries < 0) {
            reply(option, Nbd.REP_ERR_INVALID, "the queries are not as many as announced");
            return;
        }
        if (export == null) {
            reply(option, Nbd.REP_ERR_UNKNOWN, "there is no such export");
            return;
        }
        if (matches) {
            if (isSetting) {
                allocationOf = export;
            }
            final byte[] name = Nbd.BASE_ALLOCATION.getBytes(StandardCharsets.UTF_8);
            begin(option, Nbd.REP_META_CONTEXT, Integer.BYTES + name.length);
            answer.putInt(isSetting ? Nbd.BASE_ALLOCATION_ID : 0).put(name);
            send();
        }
        reply(option, Nbd.REP_ACK, "");
    }

    /** The empty name stands for the only export, if it is the only one. */
    private NbdExport find(final String name) {
        final NbdExport export = exports.get(name);
        if (export == null && name.isEmpty() && exports.size() == 1) {
            return exports.values().iterator().next();
        }
        return export;
    }

    private static String text(final ByteBuffer data, final int lengthBytes) {
        if (lengthBytes < 0 || lengthBytes > data.remaining()) {
            throw new BufferUnderflowException();
        }
        final byte[] bytes = new byte[lengthBytes];
        data.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private void reply(final int option, final int type, final String message) throws IOException {
        final byte[] bytes = message.getBytes(StandardCharsets.UTF_8);
        begin(option, type, bytes.length);
        answer.put(bytes);
        send();
    }

    private void begin(final int option, final int type, final int lengthBytes) {
        answer.clear().putLong(Nbd.OPTION_REPLY_MAGIC);
        answer.putInt(option).putInt(type).putInt(lengthBytes);
    }

    private void send() throws IOException {
        answer.flip();
        while (answer.hasRemaining()) {
            channel.write(answer);
        }
    }
}
