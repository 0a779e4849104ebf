package org.resilire.testbed.demo;

import org.resilire.control.AgentCounter;
import org.resilire.testbed.lab.AgentProcess;

/**
 * What the primary's agent counted, at one moment. Times are null while nothing was measured.
 *
 * @param epochs that are safe on the backup
 * @param protectionLosses how often the guest was protected and then was not, for a time
 * @param droppedFrames of the guest, because the output gate was full
 */
record AgentFigures(
        long epochs,
        Double pauseMillisP50,
        Double pauseMillisP99,
        Double commitMillisP50,
        Double commitMillisP99,
        Long bytesPerEpochMean,
        long verifiedEpochs,
        long verifyFailures,
        long protectionLosses,
        long droppedFrames) {

    static AgentFigures of(final AgentProcess primary) {
        return new AgentFigures(
                count(primary, AgentCounter.EPOCHS_TOTAL),
                millis(primary, AgentCounter.PAUSE_NANOS_P50),
                millis(primary, AgentCounter.PAUSE_NANOS_P99),
                millis(primary, AgentCounter.COMMIT_NANOS_P50),
                millis(primary, AgentCounter.COMMIT_NANOS_P99),
                known(primary, AgentCounter.BYTES_PER_EPOCH_MEAN),
                count(primary, AgentCounter.VERIFIED_EPOCHS),
                count(primary, AgentCounter.VERIFY_FAILURES),
                Math.max(0, count(primary, AgentCounter.SYNCHRONISATIONS) - 1),
                count(primary, AgentCounter.DROPPED_FRAMES_OUT));
    }

    static Double millis(final AgentProcess agent, final AgentCounter counter) {
        final Long nanos = known(agent, counter);
        return nanos == null ? null : Figures.rounded(nanos / 1e6);
    }

    private static long count(final AgentProcess agent, final AgentCounter counter) {
        final Long value = known(agent, counter);
        return value == null ? 0 : value;
    }

    private static Long known(final AgentProcess agent, final AgentCounter counter) {
        final long value = agent.counter(counter);
        return value == AgentCounter.UNKNOWN ? null : Long.valueOf(value);
    }
}
