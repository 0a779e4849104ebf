package org.resilire.primary;

import org.resilire.codec.PageEncoder;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentState;
import org.resilire.control.AgentText;
import org.resilire.control.LatencyRecorder;
import org.resilire.epoch.EpochPolicy;
import org.resilire.epoch.EpochWriter;
import org.resilire.epoch.ModeParts;
import org.resilire.epoch.PaceEstimate;
import org.resilire.wire.sbe.EpochKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a primary counts. Checkpoint figures are written by the checkpoint thread, those of encoding by the encoder's, commit figures
 * by the link thread; a control thread publishes the distributions.
 */
final class PrimaryMetrics {

    private static final Logger LOG = LoggerFactory.getLogger(PrimaryMetrics.class);
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double MILLION = 1e6;
    private static final long PROGRESS_INTERVAL_NANOS = 2_000_000_000L;

    private final AgentCounters counters;
    private final LatencyRecorder pause = new LatencyRecorder();
    private final LatencyRecorder scan = new LatencyRecorder();
    private final LatencyRecorder dirtyPages = new LatencyRecorder();
    private final LatencyRecorder commit = new LatencyRecorder();
    private final LatencyRecorder encode = new LatencyRecorder();

    // Of the checkpoint thread.
    private long nextProgressNanos = System.nanoTime() + PROGRESS_INTERVAL_NANOS;

    /** When output leaves, if not with its checkpoint: stands before the mode. */
    private String release = "";

    /** Exchanged while nothing is encoded. */
    private PageEncoder encoder;

    // Of the encoder's thread: what was counted by the end of the last epoch.
    private long lastZeroBlocks;
    private long lastSharedBlocks;
    private long lastLaneBlocks;
    private long lastLiteralBlocks;
    private long lastRecordBytesIn;
    private long lastRecordBytesOut;

    // Of the link thread.
    private long lastWireBytesTotal;
    private long checkpointWireBytes;
    private long checkpoints;

    PrimaryMetrics(final AgentCounters counters, final ModeParts mode) {
        this.counters = counters;
        tellOf(mode);
    }

    /** Says when output leaves, before anything is counted. */
    void release(final String when, final ModeParts mode) {
        release = when;
        tellOf(mode);
    }

    /** Counts for another mode from the next epoch on. Checkpoint thread, while nothing is encoded. */
    void adopt(final ModeParts mode) {
        lastZeroBlocks = 0;
        lastSharedBlocks = 0;
        lastLaneBlocks = 0;
        lastLiteralBlocks = 0;
        lastRecordBytesIn = 0;
        lastRecordBytesOut = 0;
        tellOf(mode);
    }

    private void tellOf(final ModeParts mode) {
        encoder = mode.pageEncoder();
        counters.text(AgentText.MODE, release + mode.mode().description());
        counters.set(AgentCounter.SHADOW_BYTES, mode.shadowBytes());
        counters.set(AgentCounter.HASH_BYTES, mode.hashBytes());
        counters.set(AgentCounter.INDEX_BYTES, mode.indexBytes());
    }

    void state(final AgentState state) {
        counters.state(state);
    }

    /** Whom the primary talks to, or tries to. */
    void peer(final String endpoint) {
        counters.text(AgentText.PEER, endpoint);
    }

    void error(final String message) {
        counters.text(AgentText.LAST_ERROR, message);
    }

    void checkpoint(final Checkpointer checkpointer, final EpochWriter writer, final long backpressureNanos) {
        pause.record(checkpointer.pauseNanos());
        scan.record(checkpointer.scanNanos());
        dirtyPages.record(checkpointer.dirtyPages());
        counters.increment(AgentCounter.EPOCHS_TOTAL);
        counters.set(AgentCounter.DIRTY_PAGES_LAST, checkpointer.dirtyPages());
        counters.add(AgentCounter.DIRTY_PAGES_TOTAL, checkpointer.dirtyPages());
        counters.add(AgentCounter.PAGES_AHEAD_TOTAL, checkpointer.pagesAhead());
        counters.add(AgentCounter.CHANGED_BLOCKS_TOTAL, writer.changedBlocks());
        counters.add(AgentCounter.CAPTURED_BYTES_TOTAL, writer.capturedBytes());
        counters.add(AgentCounter.BACKPRESSURE_NANOS_TOTAL, backpressureNanos);
    }

    /** A checkpoint that starts later than half a period after its time has missed it. */
    void lateness(final long nanos, final long periodNanos) {
        if (nanos > periodNanos / 2) {
            counters.increment(AgentCounter.EPOCHS_MISSED_PERIOD);
        }
    }

    void policy(final String description) {
        counters.text(AgentText.POLICY, description);
    }

    /** What the policy plans, and what checkpoints lately took. */
    void pace(final EpochPolicy policy, final PaceEstimate estimate) {
        counters.set(AgentCounter.PERIOD_NANOS, policy.periodNanos());
        counters.set(AgentCounter.MISSED_TARGETS, policy.missedTargets());
        if (estimate.intervalNanos() != PaceEstimate.UNKNOWN) {
            counters.set(AgentCounter.INTERVAL_NANOS, estimate.intervalNanos());
            counters.set(AgentCounter.PAUSED_PPM, (long) (estimate.pausedShare() * MILLION));
        }
        final long delayNanos = policy.outputDelayNanos(estimate);
        if (delayNanos != PaceEstimate.UNKNOWN) {
            counters.set(AgentCounter.OUTPUT_DELAY_NANOS, delayNanos);
        }
    }

    void synchronisation(final long donePages, final long totalPages, final long zeroPages) {
        counters.set(AgentCounter.SYNC_PAGES_DONE, donePages);
        counters.set(AgentCounter.SYNC_PAGES_TOTAL, totalPages);
        counters.set(AgentCounter.SYNC_ZERO_PAGES, zeroPages);
        final long nowNanos = System.nanoTime();
        if (nowNanos - nextProgressNanos >= 0) {
            nextProgressNanos = nowNanos + PROGRESS_INTERVAL_NANOS;
            LOG.info("synchronising: {} % of {} MiB", 100 * donePages / totalPages, totalPages >> 8);
        }
    }

    void synchronised() {
        counters.increment(AgentCounter.SYNCHRONISATIONS);
    }

    void verified(final boolean equal) {
        counters.increment(equal ? AgentCounter.VERIFIED_EPOCHS : AgentCounter.VERIFY_FAILURES);
    }

    void backupLost(final String reason) {
        counters.state(AgentState.BACKUP_LOST);
        error("backup lost: " + reason);
    }

    /** On the link thread. */
    void committed(
            final long epoch,
            final long commitNanos,
            final TransferTimes transfers,
            final long nowNanos,
            final long wireBytesTotal) {
        if (transfers.knows(epoch) && transfers.saturated(epoch)) {
            final long nanos = Math.max(1, nowNanos - transfers.startNanos(epoch));
            counters.set(
                    AgentCounter.LINK_BYTES_PER_SECOND, (long) (transfers.bytes(epoch) * NANOS_PER_SECOND / nanos));
        }
        counters.set(AgentCounter.EPOCH_COMMITTED, epoch);
        counters.set(AgentCounter.WIRE_BYTES_TOTAL, wireBytesTotal);
        final long wireBytes = wireBytesTotal - lastWireBytesTotal;
        lastWireBytesTotal = wireBytesTotal;
        if (counters.value(AgentCounter.STATE) == AgentState.PROTECTED.code()) {
            commit.record(commitNanos);
            checkpointWireBytes += wireBytes;
            checkpoints++;
            counters.set(AgentCounter.BYTES_PER_EPOCH_MEAN, checkpointWireBytes / checkpoints);
        }
    }

    /** On the encoder's thread. What a synchronisation needed is left out: means are of checkpoints. */
    void encoded(final EpochKind kind, final long encodeNanos, final int batches, final int compressedBatches) {
        if (kind == EpochKind.CHECKPOINT) {
            encode.record(encodeNanos);
            counters.add(AgentCounter.BATCHES_TOTAL, batches);
            counters.add(AgentCounter.COMPRESSED_BATCHES_TOTAL, compressedBatches);
            counters.add(AgentCounter.ZERO_BLOCKS_TOTAL, encoder.zeroBlocks() - lastZeroBlocks);
            counters.add(AgentCounter.SHARED_BLOCKS_TOTAL, encoder.sharedBlocks() - lastSharedBlocks);
            counters.add(AgentCounter.LANE_BLOCKS_TOTAL, encoder.laneBlocks() - lastLaneBlocks);
            counters.add(AgentCounter.LITERAL_BLOCKS_TOTAL, encoder.literalBlocks() - lastLiteralBlocks);
            counters.add(AgentCounter.RECORD_BYTES_IN_TOTAL, encoder.bytesIn() - lastRecordBytesIn);
            counters.add(AgentCounter.RECORD_BYTES_OUT_TOTAL, encoder.bytesOut() - lastRecordBytesOut);
        }
        lastZeroBlocks = encoder.zeroBlocks();
        lastSharedBlocks = encoder.sharedBlocks();
        lastLaneBlocks = encoder.laneBlocks();
        lastLiteralBlocks = encoder.literalBlocks();
        lastRecordBytesIn = encoder.bytesIn();
        lastRecordBytesOut = encoder.bytesOut();
        counters.set(AgentCounter.HASH_COLLISIONS, encoder.collisions());
        counters.set(AgentCounter.STALE_HASHES, encoder.staleHits());
    }

    /** For {@link SampleHandler}: when checkpoints are made, in words. */
    String policy() {
        return counters.text(AgentText.POLICY);
    }

    /** For {@link SampleHandler}: from checkpoint to checkpoint, as planned now. */
    long periodNanos() {
        return counters.value(AgentCounter.PERIOD_NANOS);
    }

    /** For {@link SampleHandler}. */
    LatencyRecorder pauseNanos() {
        return pause;
    }

    /** For {@link SampleHandler}. */
    LatencyRecorder scanNanos() {
        return scan;
    }

    /** For {@link SampleHandler}. */
    LatencyRecorder commitNanos() {
        return commit;
    }

    /** For {@link SampleHandler}. */
    LatencyRecorder dirtyPages() {
        return dirtyPages;
    }

    /** On the control thread, about once a second. */
    void publish() {
        pause.publish(
                counters, AgentCounter.PAUSE_NANOS_P50, AgentCounter.PAUSE_NANOS_P99, AgentCounter.PAUSE_NANOS_MAX);
        scan.publish(counters, AgentCounter.SCAN_NANOS_P50, AgentCounter.SCAN_NANOS_P99, AgentCounter.SCAN_NANOS_MAX);
        commit.publish(
                counters, AgentCounter.COMMIT_NANOS_P50, AgentCounter.COMMIT_NANOS_P99, AgentCounter.COMMIT_NANOS_MAX);
        encode.publish(
                counters, AgentCounter.ENCODE_NANOS_P50, AgentCounter.ENCODE_NANOS_P99, AgentCounter.ENCODE_NANOS_MAX);
        dirtyPages.publish(counters, AgentCounter.DIRTY_PAGES_P50, null, null);
    }
}
