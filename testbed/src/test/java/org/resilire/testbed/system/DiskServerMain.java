package org.resilire.testbed.system;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.resilire.disk.DiskImage;
import org.resilire.disk.NbdExport;
import org.resilire.disk.NbdServer;
import org.resilire.disk.WriteObserver;

/**
 * The agent's NBD server in a process of its own, so that a test sees it die or grow. Arguments: the socket, then {@code
 * NAME=IMAGE} for each disk; a name that begins with {@code read-only} is served so. Says {@code ready}, and ends with its input.
 */
final class DiskServerMain {

    static final String READY = "ready";
    static final String READ_ONLY = "read-only";

    private DiskServerMain() {}

    public static void main(final String[] arguments) throws IOException {
        final List<DiskImage> images = new ArrayList<>();
        final List<NbdExport> exports = new ArrayList<>();
        for (int i = 1; i < arguments.length; i++) {
            final int equals = arguments[i].indexOf('=');
            final String name = arguments[i].substring(0, equals);
            final Path path = Path.of(arguments[i].substring(equals + 1));
            final DiskImage image = DiskImage.open(path, name.startsWith(READ_ONLY), WriteObserver.NONE);
            images.add(image);
            exports.add(new NbdExport(name, image));
        }
        final NbdServer server = NbdServer.start(Path.of(arguments[0]), exports);
        System.out.println(READY);
        while (System.in.read() >= 0) {
            // Until whoever started it has had enough.
        }
        server.close();
        images.forEach(DiskImage::close);
    }
}
