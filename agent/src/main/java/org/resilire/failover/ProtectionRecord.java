package org.resilire.failover;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Properties;

/**
 * What an agent must still know after it was killed: the generation of the guest, and whether a backup may be able to take over.
 * A small text file, replaced atomically and synced to disk before any call that changes it returns. Not thread-safe.
 */
public final class ProtectionRecord {

    private static final String GENERATION = "generation";
    private static final String TAKEOVER_LIMIT = "takeoverLimitNanos";

    private final Path file;
    private long generation;
    private long takeoverLimitNanos;

    private ProtectionRecord(final Path file, final long generation, final long takeoverLimitNanos) {
        this.file = file;
        this.generation = generation;
        this.takeoverLimitNanos = takeoverLimitNanos;
    }

    /**
     * Reads the record of a guest, or starts one at generation 1.
     *
     * @throws DamagedRecordException if there is a record that cannot be understood: guessing a generation could start a guest twice
     */
    public static ProtectionRecord open(final Path stateDirectory, final String vmName) {
        final Path file = stateDirectory.resolve(vmName + ".record");
        try {
            Files.createDirectories(stateDirectory);
            if (!Files.exists(file)) {
                return new ProtectionRecord(file, 1, 0);
            }
            final Properties properties = new Properties();
            try (var reader = Files.newBufferedReader(file)) {
                properties.load(reader);
            }
            // Both keys: a file that was cut off must not say that no backup can take over.
            return new ProtectionRecord(file, number(properties, GENERATION, 1), number(properties, TAKEOVER_LIMIT, 0));
        } catch (final IllegalArgumentException | CharacterCodingException e) {
            throw new DamagedRecordException(
                    "the record " + file
                            + " is damaged; find out which host runs the guest, then delete the file on the host that does not",
                    e);
        } catch (final IOException e) {
            throw new UncheckedIOException("cannot use the record " + file + ": " + e.getMessage(), e);
        }
    }

    private static long number(final Properties properties, final String key, final long least) {
        final long number = Long.parseLong(properties.getProperty(key));
        if (number < least) {
            throw new IllegalArgumentException(key + " is " + number);
        }
        return number;
    }

    /** Rises with every change of roles; a guest of a lower generation than another is stale. */
    public long generation() {
        return generation;
    }

    /** Adopts a generation, never a lower one. */
    public void adoptGeneration(final long newGeneration) {
        if (newGeneration < generation) {
            throw new IllegalArgumentException("generation " + newGeneration + " is older than " + generation);
        }
        if (newGeneration != generation) {
            store(newGeneration, takeoverLimitNanos);
        }
    }

    /** True if a backup may hold a copy that it would start: the last protection did not end in order. */
    public boolean wasProtected() {
        return takeoverLimitNanos > 0;
    }

    /** From losing sight of each other until the backup has taken over or never will. */
    public long takeoverLimitNanos() {
        return takeoverLimitNanos;
    }

    /** From here on a backup may take over. */
    public void protectedWithin(final long limitNanos) {
        setTakeoverLimit(Math.max(1, limitNanos));
    }

    /** From here on no backup can. */
    public void unprotected() {
        setTakeoverLimit(0);
    }

    private void setTakeoverLimit(final long limitNanos) {
        if (limitNanos != takeoverLimitNanos) {
            store(generation, limitNanos);
        }
    }

    /** Only what is on the disk counts: if this fails, the record still says what it said. */
    private void store(final long newGeneration, final long newLimitNanos) {
        final String text = GENERATION + "=" + newGeneration + "\n" + TAKEOVER_LIMIT + "=" + newLimitNanos + "\n";
        final Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            try (FileChannel channel = FileChannel.open(
                    fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
                channel.force(true);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            try (FileChannel directory = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
                directory.force(true);
            }
            generation = newGeneration;
            takeoverLimitNanos = newLimitNanos;
        } catch (final IOException e) {
            throw new UncheckedIOException("cannot write the record " + file + ": " + e.getMessage(), e);
        }
    }
}
