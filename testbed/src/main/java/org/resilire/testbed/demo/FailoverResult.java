package org.resilire.testbed.demo;

import java.util.List;

/**
 * What one failover showed; the components are the keys of its JSON. Null: not measured, because it did not come to it.
 *
 * @param epochs committed on the backup
 * @param pauseMillisP50 of the guest at checkpoints, as the agent counted
 * @param pauseFloorMillisP50 stop + device state + cont alone, on the same guest under the same load
 * @param commitMillisP50 from the pause to the backup's acknowledgement
 * @param detectMillis from the primary's last sign of life to the decision, as the backup counted
 * @param resumeMillis from the decision to the running guest, as the backup counted
 * @param serviceDowntimeMillis from the kill to the first answer from the new host, on the median Redis connection
 * @param connectionsSurvived of {@code connections}
 * @param serviceDowntimeMillisFirst the same on the connection that was answered first
 * @param serviceDowntimeMillisWorst the same on the one that was answered last
 * @param takeoverMillis from the kill to a backup that says it runs the guest, as the test bed saw it
 * @param protectionLosses how often synchronisation had to be made again, because one side took the other for failed
 * @param latencyMillisP50 of a Redis operation while protected
 * @param latencyMillisUnprotectedP50 of one before
 * @param brokenPromises empty if all went as it must
 */
record FailoverResult(
        Long epochs,
        Double pauseMillisP50,
        Double pauseMillisP99,
        Double pauseFloorMillisP50,
        Double commitMillisP50,
        Double commitMillisP99,
        Long bytesPerEpochMean,
        Double detectMillis,
        Double resumeMillis,
        Double serviceDowntimeMillis,
        Long acknowledgedOperations,
        Long lostOperations,
        Integer connectionsSurvived,
        Long verifiedEpochs,
        Long rewinds,
        Integer connections,
        Double pauseFloorRatio,
        Double pauseFloorMillisP99,
        Double serviceDowntimeMillisFirst,
        Double serviceDowntimeMillisWorst,
        Double takeoverMillis,
        Long protectionLosses,
        Double latencyMillisP50,
        Double latencyMillisP99,
        Double latencyMillisUnprotectedP50,
        boolean idle,
        long periodMillis,
        int memoryMiB,
        int cpus,
        long seed,
        List<String> brokenPromises)
        implements RunResult {}
