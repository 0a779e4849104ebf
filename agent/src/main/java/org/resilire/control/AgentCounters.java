package org.resilire.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumMap;
import java.util.Map;
import org.agrona.concurrent.EpochClock;
import org.agrona.concurrent.SystemEpochClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.CountersManager;
import org.resilire.net.NetworkCounter;
import org.resilire.net.NetworkCounters;
import org.resilire.net.replay.ReplayController;
import org.resilire.net.replay.ReplayCounter;

/**
 * An agent's counters and texts, in a mapped file (see {@link CountersFile}) that any process reads without a lock and that
 * outlives the agent. Each counter has one writing thread; writing costs a store and allocates nothing. Texts may be written
 * by any thread.
 */
public final class AgentCounters {

    private static final String OWNER_ONLY = "rw-------";

    private final Map<AgentCounter, AtomicCounter> counters = new EnumMap<>(AgentCounter.class);
    private final Map<AgentText, TextRecord> texts = new EnumMap<>(AgentText.class);

    private final EpochClock clock;

    private AgentCounters(final CountersFile file, final EpochClock clock) {
        this.clock = clock;
        final UnsafeBuffer values = file.values();
        final CountersManager manager = new CountersManager(file.metadata(), values);
        for (final AgentCounter counter : AgentCounter.values()) {
            final int id = manager.allocate(counter.label(), counter.id());
            if (id != counter.id()) {
                throw new IllegalStateException(
                        "the ids of agent counters have a gap at " + id + " before " + counter.label());
            }
            counters.put(counter, new AtomicCounter(values, id));
            set(counter, counter.initialValue());
        }
        for (final AgentText text : AgentText.values()) {
            texts.put(text, file.text(text));
        }
        final UnsafeBuffer header = file.header();
        header.putInt(CountersFile.VERSION_OFFSET, CountersFile.VERSION);
        header.putInt(CountersFile.LENGTH_OFFSET, CountersFile.LENGTH_BYTES);
        header.putLongVolatile(CountersFile.MAGIC_OFFSET, CountersFile.MAGIC);
    }

    /** Makes the file, in place of one that a former agent left; readers see either, never a part. */
    public static AgentCounters create(final Path file) throws IOException {
        return create(file, SystemEpochClock.INSTANCE);
    }

    /** The same, with a clock of the test's. */
    static AgentCounters create(final Path file, final EpochClock clock) throws IOException {
        final Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(unfinished);
        final AgentCounters counters = new AgentCounters(CountersFile.create(unfinished), clock);
        Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString(OWNER_ONLY));
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        return counters;
    }

    /** As {@link #create(Path)} for the run directory's agent, this process, which starts now. */
    public static AgentCounters create(final RunDirectory.Claim claim, final long nowEpochMillis) throws IOException {
        final RunDirectory directory = claim.directory();
        final AgentCounters counters = create(directory.countersFile());
        final ProcessIdentity self = ProcessIdentity.ofSelf();
        counters.text(AgentText.VM_NAME, directory.vmName());
        counters.set(AgentCounter.ROLE, directory.role().code());
        counters.state(AgentState.STARTING);
        counters.set(AgentCounter.PID, self.pid());
        counters.set(AgentCounter.PID_START_TICKS, self.startTicks());
        counters.set(AgentCounter.STARTED_EPOCH_MILLIS, nowEpochMillis);
        counters.set(AgentCounter.UPDATED_EPOCH_MILLIS, nowEpochMillis);
        return counters;
    }

    public void set(final AgentCounter counter, final long value) {
        counters.get(counter).setRelease(value);
    }

    public void increment(final AgentCounter counter) {
        add(counter, 1);
    }

    /** To a counter that began at 0 or was set. */
    public void add(final AgentCounter counter, final long delta) {
        counters.get(counter).getAndAddRelease(delta);
    }

    /** {@link AgentCounter#UNKNOWN} if it was not set yet. */
    public long value(final AgentCounter counter) {
        return counters.get(counter).get();
    }

    /** By the thread that owns the state; says since when, too. */
    public void state(final AgentState state) {
        if (value(AgentCounter.STATE) != state.code()) {
            set(AgentCounter.STATE_SINCE_EPOCH_MILLIS, clock.time());
            set(AgentCounter.STATE, state.code());
        }
    }

    /** Takes over what the network thread has counted. By one thread, about once a second. */
    public void publish(final NetworkCounters network) {
        set(AgentCounter.HELD_FRAMES, network.value(NetworkCounter.HELD_FRAMES));
        set(AgentCounter.HELD_BYTES, network.value(NetworkCounter.HELD_BYTES));
        set(AgentCounter.RELEASED_FRAMES, network.value(NetworkCounter.RELEASED_FRAMES));
        set(AgentCounter.DROPPED_FRAMES_OUT, network.value(NetworkCounter.DROPPED_FRAMES_OUT));
        set(AgentCounter.DROPPED_FRAMES_IN, network.value(NetworkCounter.DROPPED_FRAMES_IN));
        set(AgentCounter.INPUT_LOG_BYTES, network.value(NetworkCounter.INPUT_LOG_BYTES));
        set(AgentCounter.INPUT_LAG_BYTES, network.value(NetworkCounter.INPUT_LAG_BYTES));
        set(AgentCounter.INPUT_STALLS, network.value(NetworkCounter.INPUT_STALLS));
        set(AgentCounter.EMITTED_FRAMES_TOTAL, network.value(NetworkCounter.EMITTED_FRAMES));
        set(AgentCounter.EMITTED_FLOWS, network.value(NetworkCounter.EMITTED_FLOWS));
        set(AgentCounter.EMITTED_FRAMES_LAST_EPOCH, network.value(NetworkCounter.EMITTED_FRAMES_LAST_EPOCH));
        set(AgentCounter.EMITTED_BYTES_LAST_EPOCH, network.value(NetworkCounter.EMITTED_BYTES_LAST_EPOCH));
        set(AgentCounter.UNTRACKED_FRAMES_TOTAL, network.value(NetworkCounter.UNTRACKED_FRAMES));
    }

    /** Takes over what a replay has counted. By one thread, about once a second. */
    public void publish(final ReplayController replay) {
        set(AgentCounter.REPLAYED_FRAMES, replay.counted(ReplayCounter.REPLAYED_FRAMES));
        set(AgentCounter.SUPPRESSED_FRAMES, replay.counted(ReplayCounter.SUPPRESSED_FRAMES));
        set(AgentCounter.REPEATED_FRAMES, replay.counted(ReplayCounter.REPEATED_FRAMES));
        set(AgentCounter.TRANSLATED_FLOWS, replay.counted(ReplayCounter.TRANSLATED_FLOWS));
        set(AgentCounter.DIVERGED_FLOWS, replay.counted(ReplayCounter.DIVERGED_FLOWS));
        set(
                AgentCounter.REPLAY_LEFT_OUT_FRAMES,
                replay.counted(ReplayCounter.SKIPPED_FRAMES) + replay.counted(ReplayCounter.DROPPED_FRAMES));
        set(AgentCounter.REPLAY_NANOS_LAST, replay.counted(ReplayCounter.REPLAY_NANOS));
    }

    /** Replaces a text; beyond 1,016 bytes of UTF-8 it is cut off. */
    public void text(final AgentText text, final String value) {
        texts.get(text).write(value);
    }

    /** An empty string if it was not set yet. */
    public String text(final AgentText text) {
        return texts.get(text).read();
    }
}
