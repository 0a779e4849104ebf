package org.resilire.testbed.evaluate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.Await;

/**
 * How far a workload in the guest has got: read from a page of the guest's memory ({@code testbed/guest/workload/workload.h}), so
 * that it needs no network and is not disturbed. Reads the file; mapping it would make this process look like its QEMU. Not
 * thread-safe.
 */
final class GuestProgress implements AutoCloseable {

    private static final byte[] MAGIC = "resilire-progres".getBytes(StandardCharsets.US_ASCII);
    private static final int PAGE_BYTES = 4096;
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int RECORD_BYTES = MAGIC.length + 4 * Long.BYTES;
    private static final Duration FIND_LIMIT = Duration.ofSeconds(10);

    private final FileChannel memory;
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer record = ByteBuffer.allocateDirect(RECORD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private long offset = -1;

    private GuestProgress(final FileChannel memory) {
        this.memory = memory;
    }

    /** Looks for the page of a run, which has just been started. */
    static GuestProgress find(final Path ramFile, final long run) {
        try {
            final GuestProgress progress = new GuestProgress(FileChannel.open(ramFile, StandardOpenOption.READ));
            Await.until(
                    () -> progress.isFound(run),
                    FIND_LIMIT,
                    Duration.ofMillis(100),
                    () -> "the guest's workload does not show its progress");
            return progress;
        } catch (final IOException failure) {
            throw new TestbedException("cannot read " + ramFile + ": " + failure.getMessage(), failure);
        }
    }

    private boolean isFound(final long run) {
        try {
            for (long at = 0; at < memory.size(); at += CHUNK_BYTES) {
                chunk.clear();
                final int bytes = memory.read(chunk, at);
                for (int page = 0; page + PAGE_BYTES <= bytes; page += PAGE_BYTES) {
                    if (isMagic(page) && chunk.getLong(page + MAGIC.length) == run) {
                        offset = at + page;
                        return true;
                    }
                }
            }
            return false;
        } catch (final IOException failure) {
            throw new TestbedException("cannot read the guest's memory: " + failure.getMessage(), failure);
        }
    }

    private boolean isMagic(final int page) {
        for (int i = 0; i < MAGIC.length; i++) {
            if (chunk.get(page + i) != MAGIC[i]) {
                return false;
            }
        }
        return true;
    }

    /** Of work, since it began. */
    long units() {
        return word(1);
    }

    /** How often a result was compared with the published one and was right. */
    long verified() {
        return word(2);
    }

    /** How often it was not. */
    long failed() {
        return word(3);
    }

    private long word(final int index) {
        try {
            record.clear();
            if (memory.read(record, offset) < RECORD_BYTES) {
                throw new TestbedException("the guest's memory has become shorter");
            }
            return record.getLong(MAGIC.length + index * Long.BYTES);
        } catch (final IOException failure) {
            throw new TestbedException("cannot read the guest's memory: " + failure.getMessage(), failure);
        }
    }

    @Override
    public void close() {
        try {
            memory.close();
        } catch (final IOException failure) {
            throw new TestbedException("cannot close the guest's memory: " + failure.getMessage(), failure);
        }
    }
}
