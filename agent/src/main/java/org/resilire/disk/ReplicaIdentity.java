package org.resilire.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Says which copy of a disk an image on this host is, across agents: what a primary's bitmap is about. It changes whenever the image
 * is or may become anything but that copy: another file, or a disk that a guest writes to here. One line in a small file, replaced
 * atomically and synced before a call returns. One thread.
 */
final class ReplicaIdentity {

    private final Path file;
    private final String image;
    private UUID replica;

    private ReplicaIdentity(final Path file, final String image) {
        this.file = file;
        this.image = image;
    }

    /** Reads what was said about this image, or begins anew. */
    static ReplicaIdentity open(final Path file, final Path image, final long lengthBytes) throws IOException {
        final String described = image.toRealPath() + " "
                + Files.readAttributes(image, "unix:dev,ino").values() + " " + lengthBytes;
        final ReplicaIdentity identity = new ReplicaIdentity(file, described);
        identity.replica = identity.read();
        if (identity.replica == null) {
            identity.renew();
        }
        return identity;
    }

    private UUID read() throws IOException {
        try {
            final String text = Files.readString(file);
            final int space = text.indexOf(' ');
            return space > 0 && text.substring(space + 1).strip().equals(image)
                    ? UUID.fromString(text.substring(0, space))
                    : null;
        } catch (final NoSuchFileException none) {
            return null;
        } catch (final IllegalArgumentException damaged) {
            return null;
        }
    }

    UUID replica() {
        return replica;
    }

    /** From here on it is another copy than anybody has known. */
    void renew() throws IOException {
        final UUID fresh = UUID.randomUUID();
        final Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                unfinished,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap((fresh + " " + image + "\n").getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
        replica = fresh;
    }
}
