package org.resilire.benchmarks.guest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.resilire.guest.GuestMemory;
import org.resilire.linux.MappedFile;

/**
 * A guest's memory in shared memory, mapped twice: as the guest writes it and as the agent reads it. Its file has lost its name
 * by the time the constructor returns, so that nothing is left behind however this process ends.
 */
public final class SharedGuest implements AutoCloseable {

    private static final Path SHARED_MEMORY = Path.of("/dev/shm");
    private static final int BLOCK_BYTES = 64;
    private static final int BLOCKS_PER_PAGE = GuestMemory.PAGE_BYTES / BLOCK_BYTES;

    private final MappedFile written;
    private final GuestMemory memory;
    private long writes;

    private SharedGuest(final MappedFile written, final GuestMemory memory) {
        this.written = written;
        this.memory = memory;
    }

    /** A guest whose every page is there and has random content. */
    public static SharedGuest create(final long pages) {
        final SharedGuest guest;
        try {
            final Path file = Files.createTempFile(SHARED_MEMORY, "resilire-benchmark-", ".ram");
            try {
                Files.delete(file);
                final MappedFile written = MappedFile.create(file, pages * GuestMemory.PAGE_BYTES);
                guest = new SharedGuest(written, GuestMemory.mapForReplay(file));
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
        RandomContent.fill(guest.bytes(), 3);
        return guest;
    }

    /** As the agent has it. */
    public GuestMemory memory() {
        return memory;
    }

    /** As the guest has it. */
    public MemorySegment bytes() {
        return written.segment();
    }

    /** Changes a word in each block of a mask. */
    public void dirty(final long pageOffset, final long mask) {
        final MemorySegment bytes = written.segment();
        writes++;
        for (long left = mask; left != 0; left &= left - 1) {
            final long block = pageOffset + (long) Long.numberOfTrailingZeros(left) * BLOCK_BYTES;
            bytes.set(ValueLayout.JAVA_LONG, block + (writes & 7) * Long.BYTES, writes);
        }
    }

    /** A mask with that many bits at random places. */
    public static long mask(final SplittableRandom random, final int changedBlocks) {
        long mask = 0;
        while (Long.bitCount(mask) < changedBlocks) {
            mask |= 1L << random.nextInt(BLOCKS_PER_PAGE);
        }
        return mask;
    }

    @Override
    public void close() {
        memory.close();
        written.close();
    }
}
