package org.resilire.testbed.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import org.resilire.testbed.TestbedException;

/**
 * What a guest boots.
 *
 * @param kernel its kernel
 * @param initrd its whole file system
 * @param commandLine the kernel's options
 */
public record GuestImage(Path kernel, Path initrd, String commandLine) {

    /** The image that {@code testbed/run} has built and named in the environment. */
    public static GuestImage fromEnvironment() {
        return new GuestImage(
                existing("RESILIRE_GUEST_KERNEL"), existing("RESILIRE_GUEST_INITRD"), value("RESILIRE_GUEST_CMDLINE"));
    }

    private static Path existing(final String variable) {
        final Path path = Path.of(value(variable));
        if (!Files.isReadable(path)) {
            throw new TestbedException(
                    variable + " names " + path + ", which cannot be read: 'testbed/run image' builds the guest image");
        }
        return path;
    }

    private static String value(final String variable) {
        final String value = System.getenv(variable);
        if (value == null || value.isBlank()) {
            throw new TestbedException(variable + " is not set: start this by testbed/run, which sets it");
        }
        return value;
    }
}
