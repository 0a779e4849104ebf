package org.resilire.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code /proc/PID/maps}, parsed. Any thread. */
public final class MemoryMaps {
    private static final int FIELDS = 6;

    private MemoryMaps() {}

    /**
     * One line of it.
     *
     * @param permissions e.g. {@code rw-s}
     * @param device major and minor number in hexadecimal, e.g. {@code 00:1a}
     * @param path a file, a name such as {@code [vdso]}, or empty; a deleted file ends in {@code " (deleted)"}
     */
    public record Mapping(
            long start, long end, String permissions, long fileOffset, long inode, String device, String path) {
        public boolean isShared() {
            return permissions.endsWith("s");
        }

        public boolean isWritable() {
            return permissions.startsWith("w", 1);
        }

        public long lengthBytes() {
            return end - start;
        }
    }

    /** All mappings in order of address; {@code ESRCH} if the process is gone. */
    public static List<Mapping> of(long pid) {
        Path file = Path.of("/proc/" + pid + "/maps");
        List<Mapping> mappings = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(file)) {
                mappings.add(parse(line));
            }
        } catch (IOException e) {
            Errno errno = Files.isDirectory(file.getParent()) ? Errno.EACCES : Errno.ESRCH;
            LinuxException failure = new LinuxException("read", file.toString(), errno);
            failure.initCause(e);
            throw failure;
        }
        return mappings;
    }

    static Mapping parse(String line) {
        String[] field = line.split(" +", FIELDS);
        int dash = field[0].indexOf('-');
        return new Mapping(
                Long.parseUnsignedLong(field[0], 0, dash, 16),
                Long.parseUnsignedLong(field[0], dash + 1, field[0].length(), 16),
                field[1],
                Long.parseUnsignedLong(field[2], 16),
                Long.parseLong(field[4]),
                field[3],
                field.length < FIELDS ? "" : field[FIELDS - 1]);
    }
}
