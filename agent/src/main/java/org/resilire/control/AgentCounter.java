package org.resilire.control;

import static org.resilire.control.CounterUnit.BYTES;
import static org.resilire.control.CounterUnit.CODE;
import static org.resilire.control.CounterUnit.COUNT;
import static org.resilire.control.CounterUnit.EPOCH_MILLIS;
import static org.resilire.control.CounterUnit.FLAG;
import static org.resilire.control.CounterUnit.NANOS;

/**
 * What an agent counts. Ids are positions in the counters file: new ones go to the end, none is used again. Counters whose
 * names end in {@code Total}, and what else starts at nothing, begin at 0; the others at {@link #UNKNOWN}.
 */
public enum AgentCounter {
    /** 1 while the agent has paused the guest. At {@link CountersFile#PAUSED_BY_AGENT_OFFSET} for a guard process. */
    PAUSED_BY_AGENT(0, "pausedByAgent", FLAG, 0),
    ROLE(1, "role", CODE),
    STATE(2, "state", CODE),
    GENERATION(3, "generation", COUNT),
    PID(4, "pid", COUNT),
    /** With the pid this names a process for ever: pids are used again. Clock ticks since boot, of {@code /proc/PID/stat}. */
    PID_START_TICKS(5, "pidStartTicks", COUNT),
    STARTED_EPOCH_MILLIS(6, "startedEpochMillis", EPOCH_MILLIS),
    UPDATED_EPOCH_MILLIS(7, "updatedEpochMillis", EPOCH_MILLIS),

    /** The latest epoch that is safe on the backup. */
    EPOCH_COMMITTED(8, "epoch", COUNT),
    EPOCHS_TOTAL(9, "epochsTotal", COUNT, 0),
    /** Epochs that took longer than configured. */
    EPOCHS_MISSED_PERIOD(10, "epochsMissedPeriod", COUNT, 0),
    PAUSE_NANOS_P50(11, "pauseNanosP50", NANOS),
    PAUSE_NANOS_P99(12, "pauseNanosP99", NANOS),
    PAUSE_NANOS_MAX(13, "pauseNanosMax", NANOS),
    /** From the end of an epoch (the guest pauses) to its acknowledgement. */
    COMMIT_NANOS_P50(14, "commitNanosP50", NANOS),
    COMMIT_NANOS_P99(15, "commitNanosP99", NANOS),
    COMMIT_NANOS_MAX(16, "commitNanosMax", NANOS),
    DIRTY_PAGES_LAST(17, "dirtyPagesLast", COUNT),
    DIRTY_PAGES_P50(18, "dirtyPagesP50", COUNT),
    DIRTY_PAGES_TOTAL(19, "dirtyPagesTotal", COUNT, 0),
    CHANGED_BLOCKS_TOTAL(20, "changedBlocksTotal", COUNT, 0),
    /** What was copied out of the guest, before encoding. */
    CAPTURED_BYTES_TOTAL(21, "capturedBytesTotal", BYTES, 0),
    /** What was sent, or received, encoded. */
    WIRE_BYTES_TOTAL(22, "wireBytesTotal", BYTES, 0),
    BYTES_PER_EPOCH_MEAN(23, "bytesPerEpochMean", BYTES),

    SYNC_PAGES_DONE(24, "syncPagesDone", COUNT),
    SYNC_PAGES_TOTAL(25, "syncPagesTotal", COUNT),
    SYNC_ZERO_PAGES(26, "syncZeroPages", COUNT),
    SYNCHRONISATIONS(27, "synchronisations", COUNT, 0),

    HELD_FRAMES(28, "heldFrames", COUNT),
    HELD_BYTES(29, "heldBytes", BYTES),
    RELEASED_FRAMES(30, "releasedFrames", COUNT, 0),
    /** Frames of the guest that were lost. */
    DROPPED_FRAMES_OUT(31, "droppedFramesOut", COUNT, 0),
    /** Frames for the guest that were lost. */
    DROPPED_FRAMES_IN(32, "droppedFramesIn", COUNT, 0),
    BACKPRESSURE_NANOS_TOTAL(33, "backpressureNanosTotal", NANOS, 0),

    VERIFIED_EPOCHS(34, "verifiedEpochs", COUNT, 0),
    VERIFY_FAILURES(35, "verifyFailures", COUNT, 0),

    /** The last failover, on the host that took over: the primary's last sign of life to the decision. */
    DETECT_NANOS_LAST(36, "detectNanosLast", NANOS),
    /** The last failover: decision to running guest. */
    RESUME_NANOS_LAST(37, "resumeNanosLast", NANOS),
    /** How long the last attachment to the guest's process took. */
    INJECTION_NANOS_LAST(38, "injectionNanosLast", NANOS),

    /** What an epoch's encoding took, after its pause. */
    ENCODE_NANOS_P50(39, "encodeNanosP50", NANOS),
    ENCODE_NANOS_P99(40, "encodeNanosP99", NANOS),
    ENCODE_NANOS_MAX(41, "encodeNanosMax", NANOS),
    /** Records of checkpoints' memory as they were captured. */
    RECORD_BYTES_IN_TOTAL(42, "recordBytesInTotal", BYTES, 0),
    /** The same as they were encoded, before any compression of batches. */
    RECORD_BYTES_OUT_TOTAL(43, "recordBytesOutTotal", BYTES, 0),
    /** Blocks of checkpoints by what travelled of them: nothing, as they became zero. */
    ZERO_BLOCKS_TOTAL(44, "zeroBlocksTotal", COUNT, 0),
    /** A reference to a block that the backup has. */
    SHARED_BLOCKS_TOTAL(45, "sharedBlocksTotal", COUNT, 0),
    /** How they differ from what they were. */
    LANE_BLOCKS_TOTAL(46, "laneBlocksTotal", COUNT, 0),
    /** All of them. */
    LITERAL_BLOCKS_TOTAL(47, "literalBlocksTotal", COUNT, 0),
    /** Blocks that were found by a hash but have other bytes; they were not shared. */
    HASH_COLLISIONS(48, "hashCollisions", COUNT),
    /** Blocks that were found by a hash but overwritten since; they were not shared. */
    STALE_HASHES(49, "staleHashes", COUNT),
    /** Memory for a copy of what was sent, at most. */
    SHADOW_BYTES(50, "shadowBytes", BYTES),
    /** Memory for hashes of blocks, at most. */
    HASH_BYTES(51, "hashBytes", BYTES),
    /** Memory for finding blocks to share. */
    INDEX_BYTES(52, "indexBytes", BYTES),
    /** Messages with records of checkpoints. */
    BATCHES_TOTAL(53, "batchesTotal", COUNT, 0),
    /** Those that were compressed. */
    COMPRESSED_BATCHES_TOTAL(54, "compressedBatchesTotal", COUNT, 0),
    /** What the link was last measured to carry in a second; unknown while it never was the bottleneck. */
    LINK_BYTES_PER_SECOND(55, "linkBytesPerSecond", BYTES),
    /** The part of a pause in which the kernel was asked for written pages. */
    SCAN_NANOS_P50(56, "scanNanosP50", NANOS),
    SCAN_NANOS_P99(57, "scanNanosP99", NANOS),
    SCAN_NANOS_MAX(58, "scanNanosMax", NANOS),
    /** When the agent got into its {@link #STATE}. */
    STATE_SINCE_EPOCH_MILLIS(59, "stateSinceEpochMillis", EPOCH_MILLIS),

    /** From checkpoint to checkpoint, as planned now. */
    PERIOD_NANOS(60, "periodNanos", NANOS),
    /** From checkpoint to checkpoint, as it lately was. */
    INTERVAL_NANOS(61, "intervalNanos", NANOS),
    /** What the guest sends waits so long on average, by what checkpoints lately took. */
    OUTPUT_DELAY_NANOS(62, "outputDelayNanos", NANOS),
    /** How much of the time the guest lately stood still, in millionths. */
    PAUSED_PPM(63, "pausedPpm", COUNT),
    /** Bits: 1, the target for the delay of output is missed; 2, that for the share of time paused. */
    MISSED_TARGETS(64, "missedTargets", COUNT),

    /** What the guest wrote to its disks, all of them, as the following are. */
    DISK_WRITTEN_BYTES_TOTAL(65, "diskWrittenBytesTotal", BYTES),
    /** Changes of disks that wait to be sent, or on a backup to be applied. */
    DISK_WAITING_BYTES(66, "diskWaitingBytes", BYTES),
    /** How long writes waited because the link or the backup could not keep up. */
    DISK_DELAY_NANOS_TOTAL(67, "diskDelayNanosTotal", NANOS),
    /** What was looked at of what the backup's disks may lack. */
    DISK_COPY_BYTES_DONE(68, "diskCopyBytesDone", BYTES),
    DISK_COPY_BYTES_TOTAL(69, "diskCopyBytesTotal", BYTES),
    /** What of it travelled: neither holes nor what the backup had. */
    DISK_COPIED_BYTES(70, "diskCopiedBytes", BYTES),
    /** What a new session would have to look at. */
    DISK_DIRTY_BYTES(71, "diskDirtyBytes", BYTES),

    /** Input replay, on the primary: what a failover would replay now. */
    INPUT_LOG_BYTES(72, "inputLogBytes", BYTES),
    /** What of it the backup has not acknowledged yet. */
    INPUT_LAG_BYTES(73, "inputLagBytes", BYTES),
    /** How often frames had to wait because the input log was full. */
    INPUT_STALLS(74, "inputStalls", COUNT, 0),
    /** Frames that left while input was logged. */
    EMITTED_FRAMES_TOTAL(75, "emittedFramesTotal", COUNT, 0),
    /** Flows of which the backup is told how far they have gone. */
    EMITTED_FLOWS(76, "emittedFlows", COUNT, 0),
    /** Frames that left in the last whole epoch. */
    EMITTED_FRAMES_LAST_EPOCH(77, "emittedFramesLastEpoch", COUNT),
    EMITTED_BYTES_LAST_EPOCH(78, "emittedBytesLastEpoch", BYTES),
    /** On the backup: frames logged when the last checkpoint was committed. */
    INPUT_LOG_FRAMES(79, "inputLogFrames", COUNT),
    /** After a takeover: frames that the guest was given again. */
    REPLAYED_FRAMES(80, "replayedFrames", COUNT),
    /** Frames of the guest's that the world had and that did not leave again. */
    SUPPRESSED_FRAMES(81, "suppressedFrames", COUNT),
    /** Segments that left again since nobody had acknowledged them. */
    REPEATED_FRAMES(82, "repeatedFrames", COUNT),
    /** Connections whose sequence numbers are translated. */
    TRANSLATED_FLOWS(83, "translatedFlows", COUNT),
    /** Connections that did not do again what they had done. */
    DIVERGED_FLOWS(84, "divergedFlows", COUNT),
    /** Frames that were not given to the guest: of connections that it does not have, or without room to keep them. */
    REPLAY_LEFT_OUT_FRAMES(85, "replayLeftOutFrames", COUNT),
    /** From the guest's network being opened to the last frame of the log. */
    REPLAY_NANOS_LAST(86, "replayNanosLast", NANOS),
    /** Dirty pages that were captured before the pause. */
    PAGES_AHEAD_TOTAL(87, "pagesAheadTotal", COUNT, 0),

    /** Frames that left, while input was logged, of flows for which there was no room: a failover may send them twice. */
    UNTRACKED_FRAMES_TOTAL(88, "untrackedFramesTotal", COUNT, 0);

    /** Not known yet; null in JSON. */
    public static final long UNKNOWN = Long.MIN_VALUE;

    private final int id;
    private final String label;
    private final CounterUnit unit;
    private final long initialValue;

    AgentCounter(final int id, final String label, final CounterUnit unit) {
        this(id, label, unit, UNKNOWN);
    }

    AgentCounter(final int id, final String label, final CounterUnit unit, final long initialValue) {
        this.id = id;
        this.label = label;
        this.unit = unit;
        this.initialValue = initialValue;
    }

    public int id() {
        return id;
    }

    /** In the counters file, with the unit in it: {@code pauseNanosP50}. */
    public String label() {
        return label;
    }

    /** In JSON: as the label, but elapsed times are in milliseconds, {@code pauseMillisP50}. */
    public String jsonKey() {
        return unit == NANOS ? label.replace("Nanos", "Millis") : label;
    }

    public CounterUnit unit() {
        return unit;
    }

    /** 0, or {@link #UNKNOWN}. */
    public long initialValue() {
        return initialValue;
    }
}
