package org.resilire.disk;

import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * A disk under the name that clients ask for.
 *
 * @param name at most 256 bytes
 * @param image not closed by the server
 * @param gate refuses changes while it is closed: to its clients the disk is writable nevertheless
 */
public record NbdExport(String name, ServedDisk image, WriteGate gate) {

    private static final int MAX_NAME_BYTES = 256;

    public NbdExport {
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(gate, "gate");
        if (name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES) {
            throw new IllegalArgumentException(
                    "the name of an NBD export must have at most " + MAX_NAME_BYTES + " bytes: " + name);
        }
    }

    /** An export that may be changed. */
    public NbdExport(final String name, final ServedDisk image) {
        this(name, image, WriteGate.opened());
    }

    /** What clients are told that they may do with it. */
    int flags() {
        final int always = Nbd.EXPORT_HAS_FLAGS
                | Nbd.EXPORT_SEND_FLUSH
                | Nbd.EXPORT_SEND_FUA
                | Nbd.EXPORT_SEND_DF
                // One page cache serves all connections, and a flush on one covers what was answered on any.
                | Nbd.EXPORT_CAN_MULTI_CONN;
        return always
                | (image.isReadOnly() ? Nbd.EXPORT_READ_ONLY : Nbd.EXPORT_SEND_TRIM | Nbd.EXPORT_SEND_WRITE_ZEROES);
    }
}
