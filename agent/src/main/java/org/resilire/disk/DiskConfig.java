package org.resilire.disk;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * A disk of the guest, the same on both hosts but for its paths.
 *
 * @param name of the NBD export, and what the two hosts know it by
 * @param image raw file or block device on this host
 * @param socket where this agent serves it
 */
public record DiskConfig(String name, Path image, Path socket) {

    /** More than a guest needs, and few enough that their names fit into a greeting. */
    public static final int MAX_DISKS = 16;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,31}");

    /** {@code sun_path} of {@code sys/un.h}, without its final 0. */
    private static final int MAX_SOCKET_PATH_BYTES = 107;

    public DiskConfig {
        if (!isName(name)) {
            throw new IllegalArgumentException("\"" + name
                    + "\" cannot name a disk: use at most 32 of letters, digits, '.', '_' and '-', a letter or digit"
                    + " first");
        }
        final int pathBytes = socket.toString().getBytes(StandardCharsets.UTF_8).length;
        if (pathBytes > MAX_SOCKET_PATH_BYTES) {
            throw new IllegalArgumentException("the path " + socket + " has " + pathBytes + " bytes, sockets allow "
                    + MAX_SOCKET_PATH_BYTES + ": use a shorter --disk-socket-dir");
        }
    }

    static boolean isName(final String text) {
        return NAME.matcher(text).matches();
    }

    /**
     * Reads {@code NAME=IMAGE}.
     *
     * @param socketDirectory where its socket {@code NAME.nbd} is
     * @throws IllegalArgumentException if it is none; the message is for the user
     */
    public static DiskConfig parse(final String text, final Path socketDirectory) {
        final int equals = text.indexOf('=');
        if (equals < 1 || equals == text.length() - 1) {
            throw new IllegalArgumentException("a disk is NAME=IMAGE, for example d0=/var/lib/vm/db.img, not " + text);
        }
        final String name = text.substring(0, equals);
        return new DiskConfig(
                name,
                Path.of(text.substring(equals + 1)),
                socketDirectory.resolve(name + ".nbd").toAbsolutePath().normalize());
    }
}
