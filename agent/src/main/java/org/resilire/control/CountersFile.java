package org.resilire.control;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;
import org.resilire.linux.BlockFile;

/**
 * The layout of the counters file, version 1. Numbers are little-endian. Values and metadata are laid out as Agrona's {@link
 * CountersReader} describes, a counter's id being that of {@link AgentCounter}.
 *
 * <pre>
 *        0   magic      8 bytes   "RESILIRE"
 *        8   version    4 bytes   1
 *       12   length     4 bytes   of the whole file
 *    4,096   values     128 counters of 128 bytes; the first 8 of each are its value
 *   20,480   metadata   128 records of 512 bytes: state, type (the id), label
 *   86,016   texts      8 records of 1,024 bytes: see TextRecord
 *   94,208   end
 * </pre>
 *
 * The file is complete when it gets its name, and keeps its length.
 */
public final class CountersFile {

    /** Of the 8-byte flag that is 1 while the agent has paused the guest, from the file's beginning. */
    public static final long PAUSED_BY_AGENT_OFFSET = 4_096;

    static final long MAGIC = 0x4552_494c_4953_4552L;
    static final int VERSION = 1;

    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = 8;
    static final int LENGTH_OFFSET = 12;

    static final int MAX_COUNTERS = 128;
    static final int MAX_TEXTS = 8;
    static final int VALUES_OFFSET = 4_096;
    static final int VALUES_BYTES = MAX_COUNTERS * CountersReader.COUNTER_LENGTH;
    static final int METADATA_OFFSET = VALUES_OFFSET + VALUES_BYTES;
    static final int METADATA_BYTES = MAX_COUNTERS * CountersReader.METADATA_LENGTH;
    static final int TEXTS_OFFSET = METADATA_OFFSET + METADATA_BYTES;
    static final int LENGTH_BYTES = TEXTS_OFFSET + MAX_TEXTS * TextRecord.LENGTH_BYTES;

    private final ByteBuffer buffer;

    private CountersFile(final ByteBuffer buffer) {
        this.buffer = buffer;
    }

    /** Maps a new file of zeros, which has all its room: a store that found none would end the process. */
    static CountersFile create(final Path file) throws IOException {
        final CountersFile created = map(
                file,
                FileChannel.MapMode.READ_WRITE,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
        try (BlockFile room = BlockFile.open(file, true)) {
            room.reserve(0, LENGTH_BYTES);
        }
        return created;
    }

    /** Maps a file whose length the caller has checked. */
    static CountersFile openReadOnly(final Path file) throws IOException {
        return map(file, FileChannel.MapMode.READ_ONLY, Set.of(StandardOpenOption.READ));
    }

    private static CountersFile map(
            final Path file, final FileChannel.MapMode mode, final Set<StandardOpenOption> options) throws IOException {
        try (FileChannel channel = FileChannel.open(file, options)) {
            // Counters are written until a thread's last breath and Agrona's buffers check no lifetime: so the mapping
            // lives
            // as long as a buffer refers to it, and the collector removes it.
            final MemorySegment mapping = channel.map(mode, 0, LENGTH_BYTES, Arena.ofAuto());
            return new CountersFile(mapping.asByteBuffer());
        }
    }

    UnsafeBuffer header() {
        return new UnsafeBuffer(buffer, 0, VALUES_OFFSET);
    }

    UnsafeBuffer values() {
        return new UnsafeBuffer(buffer, VALUES_OFFSET, VALUES_BYTES);
    }

    UnsafeBuffer metadata() {
        return new UnsafeBuffer(buffer, METADATA_OFFSET, METADATA_BYTES);
    }

    TextRecord text(final AgentText text) {
        final int offset = TEXTS_OFFSET + text.id() * TextRecord.LENGTH_BYTES;
        return new TextRecord(new UnsafeBuffer(buffer, offset, TextRecord.LENGTH_BYTES));
    }
}
