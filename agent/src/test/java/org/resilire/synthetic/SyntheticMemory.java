package org.resilire.synthetic;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;
import org.resilire.guest.GuestMemory;
import org.resilire.linux.MappedFile;

/** A file of pages with a mapping to write through and one that the code under test sees. */
public final class SyntheticMemory implements AutoCloseable {

    private final MappedFile file;
    private final GuestMemory memory;

    private SyntheticMemory(final MappedFile file, final GuestMemory memory) {
        this.file = file;
        this.memory = memory;
    }

    /** As a guest has it: the code under test may read. */
    public static SyntheticMemory ofGuest(final Path path, final long pages) {
        final MappedFile file = MappedFile.create(path, pages * GuestMemory.PAGE_BYTES);
        return new SyntheticMemory(file, GuestMemory.mapForCapture(path));
    }

    /** As a backup has it: the code under test may write, and closes its mapping itself. */
    public static SyntheticMemory ofReplica(final Path path, final long pages) {
        final MappedFile file = MappedFile.create(path, pages * GuestMemory.PAGE_BYTES);
        return new SyntheticMemory(file, GuestMemory.mapForReplay(path));
    }

    public GuestMemory memory() {
        return memory;
    }

    /** Through the mapping that is the test's own. */
    public MemorySegment bytes() {
        return file.segment();
    }

    public byte[] snapshot() {
        return file.segment().toArray(ValueLayout.JAVA_BYTE);
    }

    /** Writes a few random bytes somewhere within a page. */
    public void scribble(final Random random, final long page) {
        final long base = page * GuestMemory.PAGE_BYTES;
        final int length = 1 + random.nextInt(200);
        final int from = random.nextInt(GuestMemory.PAGE_BYTES - length);
        for (int i = 0; i < length; i++) {
            file.segment().set(ValueLayout.JAVA_BYTE, base + from + i, (byte) random.nextInt());
        }
    }

    public void fillPage(final long page, final byte value) {
        file.segment()
                .asSlice(page * GuestMemory.PAGE_BYTES, GuestMemory.PAGE_BYTES)
                .fill(value);
    }

    @Override
    public void close() {
        memory.close();
        file.close();
    }
}
