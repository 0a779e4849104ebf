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
 * is or may become anything but that copy: another file, a disk that a guest writes to here, or one that somebody changed after the last
 * agent had ended. One line in a small file, replaced atomically and synced before a call returns: the identity, when the image was last
 * changed if the agent has ended in order, and which file it is. One thread.
 */
final class ReplicaIdentity implements AutoCloseable {

    private static final String SEPARATOR = " ";
    private static final int FIELDS = 3;

    /** Instead of a time: an agent has it, or had it when it or its host ended; what it applied stands in the journal. */
    private static final String IN_USE = "-";

    private final Path file;
    private final Path imagePath;
    private final String image;
    private final boolean isNew;
    private UUID replica;
    private boolean isForgotten;

    private ReplicaIdentity(final Path file, final Path imagePath, final long lengthBytes) throws IOException {
        this.file = file;
        this.imagePath = imagePath;
        image = imagePath.toRealPath()
                + SEPARATOR
                + Files.readAttributes(imagePath, "unix:dev,ino").values()
                + SEPARATOR
                + lengthBytes;
        replica = read();
        isNew = replica == null;
    }

    /** Reads what was said about this image, or begins anew. */
    static ReplicaIdentity open(final Path file, final Path image, final long lengthBytes) throws IOException {
        final ReplicaIdentity identity = new ReplicaIdentity(file, image, lengthBytes);
        if (identity.isNew) {
            identity.renew();
        } else {
            identity.write(IN_USE);
        }
        return identity;
    }

    /** Whether the image is still the copy that the file is about. */
    static boolean isOf(final Path file, final Path image, final long lengthBytes) throws IOException {
        return !new ReplicaIdentity(file, image, lengthBytes).isNew;
    }

    /** Says of an image that nobody writes to any more, and that is on stable storage, which copy it is. */
    static void assign(final Path file, final Path image, final long lengthBytes, final UUID replica)
            throws IOException {
        final ReplicaIdentity identity = new ReplicaIdentity(file, image, lengthBytes);
        identity.replica = replica;
        identity.write(identity.changed());
    }

    /**
     * What the copy is called that stays behind when a guest goes on, as planned or by a takeover, on the host with this replica: equal to
     * it then, but for what its own host knows to differ. Both hosts can tell, and no other time leaves one of that name.
     *
     * @param generation of the guest from then on
     */
    static UUID leftBehind(final UUID replica, final long generation) {
        final ByteBuffer name = ByteBuffer.allocate(3 * Long.BYTES)
                .putLong(replica.getMostSignificantBits())
                .putLong(replica.getLeastSignificantBits())
                .putLong(generation);
        return UUID.nameUUIDFromBytes(name.array());
    }

    private UUID read() throws IOException {
        try {
            final String[] fields = Files.readString(file).strip().split(SEPARATOR, FIELDS);
            return fields.length == FIELDS
                            && fields[2].equals(image)
                            && (fields[1].equals(IN_USE) || fields[1].equals(changed()))
                    ? UUID.fromString(fields[0])
                    : null;
        } catch (final NoSuchFileException none) {
            return null;
        } catch (final IllegalArgumentException damaged) {
            return null;
        }
    }

    private String changed() throws IOException {
        return Long.toString(ImageStamp.of(imagePath).changedNanos());
    }

    UUID replica() {
        return replica;
    }

    /** Nothing was known of this image when it was opened. */
    boolean isNew() {
        return isNew;
    }

    /** From here on it is another copy than anybody has known. */
    private void renew() throws IOException {
        replica = UUID.randomUUID();
        write(IN_USE);
    }

    /** From here on it is nobody's copy. */
    void forget() throws IOException {
        isForgotten = true;
        replica = UUID.randomUUID();
        Files.deleteIfExists(file);
        syncDirectory();
    }

    private void write(final String state) throws IOException {
        final Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                unfinished,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
            final String line = replica + SEPARATOR + state + SEPARATOR + image + "\n";
            channel.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        syncDirectory();
    }

    private void syncDirectory() throws IOException {
        try (FileChannel directory = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    /** This agent does not change the image any more, and nobody else should. */
    @Override
    public void close() throws IOException {
        if (!isForgotten) {
            write(changed());
        }
    }
}
