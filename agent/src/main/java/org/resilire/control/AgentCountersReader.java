package org.resilire.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;

/** Reads an agent's counters from another process, also after the agent has died. Any thread. */
public final class AgentCountersReader {

    private final CountersReader counters;
    private final Map<AgentText, TextRecord> texts = new EnumMap<>(AgentText.class);

    private AgentCountersReader(final CountersFile file) {
        counters = new CountersReader(file.metadata(), file.values());
        for (final AgentText text : AgentText.values()) {
            texts.put(text, file.text(text));
        }
    }

    /** Reads the counters of an agent's run directory. */
    public static AgentCountersReader open(final RunDirectory directory) throws IOException {
        return open(directory.countersFile());
    }

    /**
     * Maps a counters file.
     *
     * @throws CountersFileException if the file is not one, is cut short, or is of another version
     * @throws NoSuchFileException if there is none
     */
    public static AgentCountersReader open(final Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new CountersFileException(file, "is not a regular file");
            }
            throw new NoSuchFileException(file.toString(), null, "no agent has run here");
        }
        final long lengthBytes = Files.size(file);
        // Before mapping: a read beyond the end of a mapped file kills the process.
        if (lengthBytes != CountersFile.LENGTH_BYTES) {
            throw new CountersFileException(
                    file, "has " + lengthBytes + " bytes instead of " + CountersFile.LENGTH_BYTES);
        }
        final CountersFile mapped = CountersFile.openReadOnly(file);
        final UnsafeBuffer header = mapped.header();
        if (header.getLongVolatile(CountersFile.MAGIC_OFFSET) != CountersFile.MAGIC) {
            throw new CountersFileException(file, "does not begin as a counters file does");
        }
        final int version = header.getInt(CountersFile.VERSION_OFFSET);
        if (version != CountersFile.VERSION) {
            throw new CountersFileException(
                    file,
                    "is of version " + version + ", this program reads version " + CountersFile.VERSION
                            + "; use the program that the agent runs");
        }
        return new AgentCountersReader(mapped);
    }

    /** {@link AgentCounter#UNKNOWN} if it was not set yet, or if the agent does not have it. */
    public long value(final AgentCounter counter) {
        final int id = counter.id();
        final boolean isThere =
                counters.getCounterState(id) == CountersReader.RECORD_ALLOCATED && counters.getCounterTypeId(id) == id;
        return isThere ? counters.getCounterValue(id) : AgentCounter.UNKNOWN;
    }

    public boolean isKnown(final AgentCounter counter) {
        return value(counter) != AgentCounter.UNKNOWN;
    }

    /** Null if the agent has not said, or says something that this program does not know. */
    public AgentState state() {
        return AgentState.ofCode(value(AgentCounter.STATE));
    }

    /** Null as for {@link #state()}. */
    public AgentRole role() {
        return AgentRole.ofCode(value(AgentCounter.ROLE));
    }

    /** An empty string if it was not set yet. */
    public String text(final AgentText text) {
        return texts.get(text).read();
    }
}
