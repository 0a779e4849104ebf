package org.resilire.testbed.lab;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.resilire.testbed.TestbedException;

/** Images of a guest's disk on both hosts of a lab. */
public final class LabDisk {

    private LabDisk() {}

    /** On host A an ext4 file system, on host B as many zeros. */
    public static void createExt4(final Lab lab, final String name, final long lengthBytes) {
        createEmpty(lab, name, lengthBytes);
        Commands.run(
                "mke2fs", "-q", "-F", "-t", "ext4", lab.hostA().diskImage(name).toString());
    }

    /** On host A a copy of an image, on host B as many zeros. */
    public static void createCopy(final Lab lab, final String name, final Path image) {
        copy(image, lab.hostA().diskImage(name));
        createEmpty(lab.hostB().diskImage(name), image.toFile().length());
    }

    /** Copies an image, holes as holes. */
    public static void copy(final Path image, final Path to) {
        Commands.run("cp", "--sparse=always", "--no-preserve=mode,ownership", image.toString(), to.toString());
    }

    /** Zeros on both hosts. */
    public static void createEmpty(final Lab lab, final String name, final long lengthBytes) {
        for (final LabHost host : List.of(lab.hostA(), lab.hostB())) {
            createEmpty(host.diskImage(name), lengthBytes);
        }
    }

    /** A sparse file. */
    public static void createEmpty(final Path image, final long lengthBytes) {
        try {
            Files.deleteIfExists(image);
            try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
                file.setLength(lengthBytes);
            }
        } catch (final IOException failure) {
            throw new TestbedException("cannot make the disk image " + image + ": " + failure.getMessage(), failure);
        }
    }

    /** Puts host B's images on a file system of its own that has so much room; {@link #unlimit} takes it away. */
    public static void limit(final LabHost host, final int roomMiB) {
        Commands.run(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "size=" + roomMiB + "m",
                "resilire-testbed",
                host.diskDirectory().toString());
    }

    public static void unlimit(final LabHost host) {
        Commands.run("umount", "--lazy", host.diskDirectory().toString());
    }
}
