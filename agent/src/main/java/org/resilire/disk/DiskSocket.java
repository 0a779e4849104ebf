package org.resilire.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** Serves one disk at its socket, whose directory is made for the agent's user alone if it is not there. */
final class DiskSocket {

    private DiskSocket() {}

    static NbdServer serve(final DiskConfig config, final DiskImage image, final WriteGate gate) throws IOException {
        final Path directory = config.socket().getParent();
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(directory.getParent());
            Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
        return NbdServer.start(config.socket(), List.of(new NbdExport(config.name(), image, gate)));
    }
}
