package org.resilire.testbed.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/** The lab's files: {@code /run/resilire-testbed-ID} and {@code /dev/shm/resilire-ID*}, both in memory, with the
 * agents' files among the latter; and {@code /var/tmp/resilire-testbed-ID} for disks, which is not. */
final class LabFiles {

    private static final Path RUN = Path.of("/run");
    private static final Path DISKS = Path.of("/var/tmp");
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private LabFiles() {}

    static Path directory(final String id) {
        return RUN.resolve("resilire-testbed-" + id);
    }

    static Path disks(final String id) {
        return DISKS.resolve("resilire-testbed-" + id);
    }

    static Path sharedMemory(final String id, final String name) {
        return SHARED_MEMORY.resolve("resilire-" + id + "-" + name);
    }

    /** False if somebody else has this id. */
    static boolean claim(final String id) {
        try {
            Files.createDirectory(directory(id));
            return true;
        } catch (final FileAlreadyExistsException taken) {
            return false;
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static void createDirectories(final Path path) {
        try {
            Files.createDirectories(path);
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** A shell script that can be run. */
    static void writeScript(final Path path, final String text) {
        try {
            Files.writeString(path, text);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static void remove(final String id) {
        try {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(SHARED_MEMORY, "resilire-" + id + "[-.]*")) {
                for (final Path file : files) {
                    removeTree(file);
                }
            }
            removeTree(disks(id));
            removeTree(directory(id));
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (final DirectoryIteratorException failure) {
            throw new UncheckedIOException(failure.getCause());
        }
    }

    private static void removeTree(final Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(final Path file, final BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(final Path directory, final IOException failure)
                    throws IOException {
                Files.deleteIfExists(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
