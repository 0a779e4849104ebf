package org.resilire.guest.qemu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A command encoded once, so that sending it is one write. Immutable; any thread. */
public final class QmpCommand {

    private final String name;
    private final MemorySegment bytes;

    private QmpCommand(final String name, final MemorySegment bytes) {
        this.name = name;
        this.bytes = bytes;
    }

    /**
     * Encodes a command.
     *
     * @param name as QEMU knows it, for example {@code stop}
     * @param arguments names and values in turn; a value is a string, a number or a boolean
     */
    public static QmpCommand of(final String name, final Object... arguments) {
        final StringBuilder json = new StringBuilder(64).append("{\"execute\":");
        appendString(json, name);
        if (arguments.length > 0) {
            json.append(",\"arguments\":{");
            for (int i = 0; i < arguments.length; i += 2) {
                if (i > 0) {
                    json.append(',');
                }
                appendString(json, (String) arguments[i]);
                json.append(':');
                appendValue(json, arguments[i + 1]);
            }
            json.append('}');
        }
        final byte[] encoded = json.append("}\n").toString().getBytes(UTF_8);
        final MemorySegment bytes = Arena.ofAuto().allocate(encoded.length);
        MemorySegment.copy(encoded, 0, bytes, JAVA_BYTE, 0, encoded.length);
        return new QmpCommand(name, bytes);
    }

    public String name() {
        return name;
    }

    MemorySegment bytes() {
        return bytes;
    }

    private static void appendValue(final StringBuilder json, final Object value) {
        if (value instanceof Number || value instanceof Boolean) {
            json.append(value);
        } else {
            appendString(json, (String) value);
        }
    }

    private static void appendString(final StringBuilder json, final String value) {
        json.append('"');
        for (int i = 0; i < value.length(); i++) {
            final char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < 0x20) {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }
}
