package org.resilire.control;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import org.resilire.epoch.EpochPolicy;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * An agent's status at one moment, for people and as JSON. It is made from the counters alone, so that an agent that hangs
 * or has died is told about too.
 *
 * <p>JSON has a key for every counter and text ({@link AgentCounter#jsonKey}), null where it is not known, with {@code role}
 * and {@code state} as words; and beside them {@code stateDescription}, {@code process} (see {@link AgentProcess}) and
 * {@code updatedAgeMillis}.
 */
public final class StatusReport {

    private static final JsonMapper JSON = new JsonMapper();
    private static final double NANOS_PER_MILLI = 1e6;
    private static final double MILLIS_PER_SECOND = 1e3;
    private static final double PPM_PER_PERCENT = 1e4;

    private final AgentCountersReader reader;
    private final AgentProcess process;
    private final long nowEpochMillis;

    private StatusReport(final AgentCountersReader reader, final AgentProcess process, final long nowEpochMillis) {
        this.reader = reader;
        this.process = process;
        this.nowEpochMillis = nowEpochMillis;
    }

    /**
     * Looks at the counters and at the process that wrote them.
     *
     * @param nowEpochMillis milliseconds since 1970
     */
    public static StatusReport of(final AgentCountersReader reader, final long nowEpochMillis) {
        return new StatusReport(reader, AgentProcess.of(reader), nowEpochMillis);
    }

    public AgentProcess process() {
        return process;
    }

    /** One object, as described above. */
    public ObjectNode toJson() {
        final ObjectNode json = JSON.createObjectNode();
        for (final AgentText text : AgentText.values()) {
            final String value = reader.text(text);
            json.put(text.label(), value.isEmpty() ? null : value);
        }
        for (final AgentCounter counter : AgentCounter.values()) {
            putCounter(json, counter);
        }
        final AgentRole role = reader.role();
        final AgentState state = reader.state();
        json.put(AgentCounter.ROLE.jsonKey(), role == null ? null : role.label());
        json.put(AgentCounter.STATE.jsonKey(), state == null ? null : state.name());
        json.put("stateDescription", state == null ? null : state.description());
        json.put("changedBlocksPerEpochMean", meanPerEpoch(AgentCounter.CHANGED_BLOCKS_TOTAL));
        json.put("capturedBytesPerEpochMean", meanPerEpoch(AgentCounter.CAPTURED_BYTES_TOTAL));
        json.put("recordBytesInPerEpochMean", meanPerEpoch(AgentCounter.RECORD_BYTES_IN_TOTAL));
        json.put("recordBytesOutPerEpochMean", meanPerEpoch(AgentCounter.RECORD_BYTES_OUT_TOTAL));
        json.put("process", process.name());
        json.put("updatedAgeMillis", updatedAgeMillis());
        missedTargets(json);
        json.put("stateAgeMillis", ageMillis(AgentCounter.STATE_SINCE_EPOCH_MILLIS));
        return json;
    }

    private void putCounter(final ObjectNode json, final AgentCounter counter) {
        final long value = reader.value(counter);
        if (value == AgentCounter.UNKNOWN) {
            json.putNull(counter.jsonKey());
            return;
        }
        switch (counter.unit()) {
            case NANOS -> json.put(counter.jsonKey(), value / NANOS_PER_MILLI);
            case FLAG -> json.put(counter.jsonKey(), value != 0);
            default -> json.put(counter.jsonKey(), value);
        }
    }

    private Long updatedAgeMillis() {
        return ageMillis(AgentCounter.UPDATED_EPOCH_MILLIS);
    }

    /** Never negative: a clock may have been set back. Null if it is not known. */
    private Long ageMillis(final AgentCounter instant) {
        final long then = reader.value(instant);
        return then == AgentCounter.UNKNOWN ? null : Math.max(0, nowEpochMillis - then);
    }

    /** Several lines for a person, the most important first; each ends with a line feed. */
    public String toText() {
        final StringBuilder out = new StringBuilder(1_024);
        headline(out);
        since(out);
        line(out, "agent", agentLine());
        line(out, "peer", text(AgentText.PEER));
        line(
                out,
                "epoch",
                count(AgentCounter.EPOCH_COMMITTED) + " committed, " + count(AgentCounter.EPOCHS_TOTAL)
                        + " in this run, " + count(AgentCounter.EPOCHS_MISSED_PERIOD) + " longer than configured");
        pace(out);
        line(
                out,
                "pause",
                latencies(AgentCounter.PAUSE_NANOS_P50, AgentCounter.PAUSE_NANOS_P99, AgentCounter.PAUSE_NANOS_MAX));
        line(
                out,
                "scan",
                latencies(AgentCounter.SCAN_NANOS_P50, AgentCounter.SCAN_NANOS_P99, AgentCounter.SCAN_NANOS_MAX)
                        + " of the pause");
        line(
                out,
                "commit",
                latencies(AgentCounter.COMMIT_NANOS_P50, AgentCounter.COMMIT_NANOS_P99, AgentCounter.COMMIT_NANOS_MAX));
        line(
                out,
                "memory",
                count(AgentCounter.DIRTY_PAGES_P50) + " dirty pages an epoch (median), "
                        + inWords(meanPerEpoch(AgentCounter.CHANGED_BLOCKS_TOTAL)) + " changed blocks (mean), found by "
                        + text(AgentText.DIRTY_TRACKER));
        encoding(out);
        line(
                out,
                "wire",
                inWords(meanPerEpoch(AgentCounter.CAPTURED_BYTES_TOTAL)) + " bytes captured an epoch, "
                        + bytes(AgentCounter.BYTES_PER_EPOCH_MEAN) + " sent, " + bytes(AgentCounter.WIRE_BYTES_TOTAL)
                        + " in all");
        synchronisation(out);
        disks(out);
        line(
                out,
                "network",
                count(AgentCounter.HELD_FRAMES) + " frames held, "
                        + count(AgentCounter.RELEASED_FRAMES) + " released, dropped "
                        + count(AgentCounter.DROPPED_FRAMES_OUT) + " out and " + count(AgentCounter.DROPPED_FRAMES_IN)
                        + " in");
        inputReplay(out);
        line(
                out,
                "verified",
                count(AgentCounter.VERIFIED_EPOCHS) + " epochs, " + count(AgentCounter.VERIFY_FAILURES) + " differed");
        failover(out);
        if (!reader.text(AgentText.LAST_ERROR).isEmpty()) {
            line(out, "last error", text(AgentText.LAST_ERROR));
        }
        return out.toString();
    }

    private void headline(final StringBuilder out) {
        final AgentRole role = reader.role();
        final AgentState state = reader.state();
        out.append("VM ").append(text(AgentText.VM_NAME)).append(", ").append(role == null ? "-" : role.label());
        if (process == AgentProcess.DIED) {
            out.append(": THE AGENT HAS DIED");
            out.append(state == null ? "" : " (it was " + state + ")").append('\n');
        } else {
            out.append(": ")
                    .append(state == null ? "-" : state + ", " + state.description())
                    .append('\n');
        }
    }

    /** Words instead of bits. */
    private void missedTargets(final ObjectNode json) {
        final long missed = reader.value(AgentCounter.MISSED_TARGETS);
        if (missed == AgentCounter.UNKNOWN) {
            return;
        }
        final ArrayNode words = json.putArray(AgentCounter.MISSED_TARGETS.jsonKey());
        if ((missed & EpochPolicy.MISSES_DELAY) != 0) {
            words.add("delay");
        }
        if ((missed & EpochPolicy.MISSES_OVERHEAD) != 0) {
            words.add("overhead");
        }
    }

    /** Only a primary has a policy. */
    private void pace(final StringBuilder out) {
        if (reader.text(AgentText.POLICY).isEmpty()) {
            return;
        }
        line(out, "checkpoints", text(AgentText.POLICY));
        final long missed = reader.value(AgentCounter.MISSED_TARGETS);
        final long pausedPpm = reader.value(AgentCounter.PAUSED_PPM);
        line(
                out,
                "lately",
                "every " + millis(AgentCounter.INTERVAL_NANOS) + " (planned " + millis(AgentCounter.PERIOD_NANOS)
                        + "), output waits " + millis(AgentCounter.OUTPUT_DELAY_NANOS) + ", guest paused "
                        + (pausedPpm < 0 ? "-" : String.format(Locale.ROOT, "%.1f %%", pausedPpm / PPM_PER_PERCENT))
                        + " of the time"
                        + (missed > 0 ? missedInWords(missed) : ""));
    }

    private static String missedInWords(final long missed) {
        return (missed & EpochPolicy.MISSES_DELAY) == 0
                ? "; MISSES its target for overhead"
                : (missed & EpochPolicy.MISSES_OVERHEAD) == 0
                        ? "; MISSES its target for delay"
                        : "; MISSES its targets for delay and overhead";
    }

    private void since(final StringBuilder out) {
        final Long ageMillis = ageMillis(AgentCounter.STATE_SINCE_EPOCH_MILLIS);
        if (ageMillis != null && reader.state() != null) {
            line(
                    out,
                    "since",
                    String.format(
                            Locale.ROOT,
                            "%s, %.1f s ago",
                            Instant.ofEpochMilli(reader.value(AgentCounter.STATE_SINCE_EPOCH_MILLIS))
                                    .truncatedTo(ChronoUnit.SECONDS),
                            ageMillis / MILLIS_PER_SECOND));
        }
    }

    private String agentLine() {
        final Long ageMillis = updatedAgeMillis();
        return "pid " + count(AgentCounter.PID) + " " + process.description() + ", generation "
                + count(AgentCounter.GENERATION)
                + (ageMillis == null
                        ? ""
                        : String.format(Locale.ROOT, ", updated %.1f s ago", ageMillis / MILLIS_PER_SECOND));
    }

    /** Only a primary encodes. */
    private void encoding(final StringBuilder out) {
        if (reader.text(AgentText.MODE).isEmpty()) {
            return;
        }
        line(out, "mode", text(AgentText.MODE));
        line(
                out,
                "encoding",
                inWords(meanPerEpoch(AgentCounter.RECORD_BYTES_IN_TOTAL)) + " bytes of records an epoch became "
                        + inWords(meanPerEpoch(AgentCounter.RECORD_BYTES_OUT_TOTAL)) + " in "
                        + millis(AgentCounter.ENCODE_NANOS_P50) + " (median); "
                        + count(AgentCounter.COMPRESSED_BATCHES_TOTAL) + " of " + count(AgentCounter.BATCHES_TOTAL)
                        + " batches compressed; link " + bytes(AgentCounter.LINK_BYTES_PER_SECOND) + "/s");
        line(
                out,
                "blocks",
                count(AgentCounter.ZERO_BLOCKS_TOTAL) + " zero, " + count(AgentCounter.SHARED_BLOCKS_TOTAL)
                        + " shared, " + count(AgentCounter.LANE_BLOCKS_TOTAL) + " as differences, "
                        + count(AgentCounter.LITERAL_BLOCKS_TOTAL) + " whole; "
                        + count(AgentCounter.HASH_COLLISIONS) + " hash collisions, "
                        + count(AgentCounter.STALE_HASHES) + " stale hashes");
        line(
                out,
                "costs",
                "at most " + bytes(AgentCounter.SHADOW_BYTES) + " for the shadow, "
                        + bytes(AgentCounter.HASH_BYTES) + " for hashes, " + bytes(AgentCounter.INDEX_BYTES)
                        + " for the sharing index");
    }

    private void synchronisation(final StringBuilder out) {
        final long total = reader.value(AgentCounter.SYNC_PAGES_TOTAL);
        final long done = reader.value(AgentCounter.SYNC_PAGES_DONE);
        if (total > 0 && done >= 0 && done < total) {
            line(out, "copying", String.format(Locale.ROOT, "%.0f %% of %d pages", 100.0 * done / total, total));
        }
    }

    /** Only of a guest that has some. */
    private void disks(final StringBuilder out) {
        if (!reader.text(AgentText.DISKS).isEmpty()) {
            line(out, "disks", text(AgentText.DISKS));
            line(
                    out,
                    "",
                    bytes(AgentCounter.DISK_WAITING_BYTES) + " waiting, writes delayed by "
                            + millis(AgentCounter.DISK_DELAY_NANOS_TOTAL) + " in all");
        }
    }

    /** Only where it is done. */
    private void inputReplay(final StringBuilder out) {
        if (reader.value(AgentCounter.EMITTED_FRAMES_TOTAL) > 0) {
            line(
                    out,
                    "input log",
                    bytes(AgentCounter.INPUT_LOG_BYTES) + " to replay, " + bytes(AgentCounter.INPUT_LAG_BYTES)
                            + " not acknowledged; was full " + count(AgentCounter.INPUT_STALLS) + " times");
            line(
                    out,
                    "let out",
                    count(AgentCounter.EMITTED_FRAMES_LAST_EPOCH) + " frames, "
                            + bytes(AgentCounter.EMITTED_BYTES_LAST_EPOCH) + " in the last epoch; "
                            + count(AgentCounter.EMITTED_FLOWS) + " flows; "
                            + count(AgentCounter.UNTRACKED_FRAMES_TOTAL) + " frames of flows without room");
        }
        if (reader.value(AgentCounter.INPUT_LOG_FRAMES) > 0) {
            line(out, "input log", count(AgentCounter.INPUT_LOG_FRAMES) + " frames at the last checkpoint");
        }
        if (reader.isKnown(AgentCounter.REPLAYED_FRAMES)) {
            line(
                    out,
                    "replay",
                    count(AgentCounter.REPLAYED_FRAMES) + " frames in " + millis(AgentCounter.REPLAY_NANOS_LAST) + ", "
                            + count(AgentCounter.REPLAY_LEFT_OUT_FRAMES) + " left out; of the guest's "
                            + count(AgentCounter.SUPPRESSED_FRAMES) + " suppressed, "
                            + count(AgentCounter.REPEATED_FRAMES) + " repeated; connections: "
                            + count(AgentCounter.TRANSLATED_FLOWS) + " translated, "
                            + count(AgentCounter.DIVERGED_FLOWS) + " diverged");
        }
    }

    private void failover(final StringBuilder out) {
        if (reader.isKnown(AgentCounter.RESUME_NANOS_LAST)) {
            line(
                    out,
                    "failover",
                    "detected in " + millis(AgentCounter.DETECT_NANOS_LAST) + ", guest running "
                            + millis(AgentCounter.RESUME_NANOS_LAST) + " later");
        }
    }

    private String latencies(final AgentCounter p50, final AgentCounter p99, final AgentCounter max) {
        return "p50 " + millis(p50) + ", p99 " + millis(p99) + ", max " + millis(max);
    }

    private String millis(final AgentCounter counter) {
        final long nanos = reader.value(counter);
        return nanos == AgentCounter.UNKNOWN ? "-" : String.format(Locale.ROOT, "%.2f ms", nanos / NANOS_PER_MILLI);
    }

    /** Null while there was no epoch. */
    private Long meanPerEpoch(final AgentCounter total) {
        final long epochs = reader.value(AgentCounter.EPOCHS_TOTAL);
        return epochs <= 0 || !reader.isKnown(total) ? null : Long.valueOf(reader.value(total) / epochs);
    }

    private static String inWords(final Long value) {
        return value == null ? "-" : value.toString();
    }

    private String count(final AgentCounter counter) {
        final long value = reader.value(counter);
        return value == AgentCounter.UNKNOWN ? "-" : Long.toString(value);
    }

    private String bytes(final AgentCounter counter) {
        final long value = reader.value(counter);
        if (value == AgentCounter.UNKNOWN) {
            return "-";
        }
        if (value < 1 << 10) {
            return value + " B";
        }
        return value < 1 << 20
                ? String.format(Locale.ROOT, "%.1f KiB", value / (double) (1 << 10))
                : String.format(Locale.ROOT, "%.1f MiB", value / (double) (1 << 20));
    }

    /** A text may carry what a peer or a guest said: no control characters of theirs reach the terminal. */
    private String text(final AgentText text) {
        final String value = reader.text(text);
        return value.isEmpty() ? "-" : value.replaceAll("[\\p{Cntrl}\\p{Cf}]+", " ");
    }

    private static void line(final StringBuilder out, final String label, final String value) {
        out.append(String.format(Locale.ROOT, "  %-11s %s%n", label, value));
    }
}
