package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A QEMU of another version than the installed one, unpacked beside it and not installed: Debian often offers two, a point
 * release's and a security fix's.
 */
final class OtherQemu {

    /** Prints the program, or nothing where apt knows of no other version. */
    private static final String UNPACK = """
            cd "$1"
            installed=$(dpkg-query --show --showformat='${Version}' qemu-system-x86)
            other=$(apt-cache madison qemu-system-x86 | awk -v installed="$installed" '$3 != installed { print $3; exit }')
            [ -n "$other" ] || exit 0
            # The second has the accelerators, which QEMU finds beside itself.
            apt-get -qq -o APT::Sandbox::User=root download "qemu-system-x86=$other" "qemu-system-common=$other"
            for package in *.deb; do dpkg-deb --extract "$package" .; done
            echo "$1/usr/bin/qemu-system-x86_64"
            """;

    /** Options with which it finds its firmware: that is in packages of its own, which are installed. */
    static final String[] FIRMWARE = {"-L", "/usr/share/seabios", "-L", "/usr/share/qemu"};

    private OtherQemu() {}

    /**
     * Downloads and unpacks it.
     *
     * @param directory made by this, for nothing else
     * @return the program; empty where Debian offers but one version
     */
    static Optional<Path> unpack(final Path directory) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        final Process process = new ProcessBuilder("sh", "-euc", UNPACK, "unpack", directory.toString())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), output);
        return output.isEmpty()
                ? Optional.empty()
                : Optional.of(Path.of(output.lines().toList().getLast()));
    }
}
