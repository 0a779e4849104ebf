package org.resilire.primary;

import java.util.Locale;
import java.util.Set;
import org.resilire.codec.PageCodec;
import org.resilire.control.ControlException;
import org.resilire.epoch.ModeChoice;
import org.resilire.epoch.ReplicationMode;
import org.resilire.epoch.ReplicationMode.Identification;
import org.resilire.fgbi.BlockSize;
import tools.jackson.databind.JsonNode;

/** What a request says about the mode of replication. */
final class ModeRequest {

    static final Set<String> KEYS = Set.of("mode", "identify", "blockBytes", "codec", "sharing");

    private ModeRequest() {}

    /**
     * The mode that a request wants of an agent that has one.
     *
     * @throws ControlException if that cannot be, in one line
     */
    static ReplicationMode modeAfter(final ReplicationMode before, final JsonNode request) {
        try {
            return new ModeChoice(
                            wholePages(text(request, "mode")),
                            identification(text(request, "identify")),
                            blockSize(request.get("blockBytes")),
                            codec(text(request, "codec")),
                            sharing(request.get("sharing")))
                    .resolveAfter(before);
        } catch (final IllegalArgumentException e) {
            throw new ControlException(e.getMessage(), e);
        }
    }

    private static String text(final JsonNode request, final String key) {
        final JsonNode given = request.get(key);
        if (given == null) {
            return null;
        }
        if (!given.isString()) {
            throw new ControlException("\"" + key + "\" must be a text");
        }
        return given.stringValue().toLowerCase(Locale.ROOT);
    }

    private static Boolean wholePages(final String mode) {
        return switch (mode) {
            case null -> null;
            case "remus" -> true;
            case "fgbi" -> false;
            default -> throw new ControlException("\"mode\" must be fgbi or remus");
        };
    }

    private static Identification identification(final String text) {
        if (text == null) {
            return null;
        }
        for (final Identification identification : Identification.values()) {
            if (identification.text().equals(text)) {
                return identification;
            }
        }
        throw new ControlException("\"identify\" must be shadow or hash");
    }

    private static BlockSize blockSize(final JsonNode given) {
        if (given == null) {
            return null;
        }
        if (!given.isIntegralNumber() || !given.canConvertToInt()) {
            throw new ControlException("\"blockBytes\" must be 64, 128 or 256");
        }
        return BlockSize.of(given.intValue());
    }

    private static PageCodec codec(final String text) {
        return text == null ? null : PageCodec.of(text);
    }

    private static Boolean sharing(final JsonNode given) {
        if (given != null && !given.isBoolean()) {
            throw new ControlException("\"sharing\" must be true or false");
        }
        return given == null ? null : Boolean.valueOf(given.booleanValue());
    }
}
