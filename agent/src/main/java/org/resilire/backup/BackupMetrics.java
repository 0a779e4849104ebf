package org.resilire.backup;

import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentState;
import org.resilire.control.AgentText;
import org.resilire.epoch.EpochAssembler;
import org.resilire.epoch.ReplicaVerification;
import org.resilire.wire.sbe.EpochKind;

/** What a backup counts. Epoch figures are written by the link thread, the rest by the standby's thread. */
final class BackupMetrics {

    private final AgentCounters counters;

    BackupMetrics(final AgentCounters counters) {
        this.counters = counters;
    }

    /** Frames of the input log that the checkpoint which is committed now may have seen, and later ones. */
    void inputLogged(final long frames) {
        counters.set(AgentCounter.INPUT_LOG_FRAMES, frames);
    }

    void state(final AgentState state) {
        counters.state(state);
    }

    void error(final String message) {
        counters.text(AgentText.LAST_ERROR, message);
    }

    void generation(final long generation) {
        counters.set(AgentCounter.GENERATION, generation);
    }

    void committed(final EpochAssembler epoch, final long number) {
        counters.set(AgentCounter.EPOCH_COMMITTED, number);
        counters.add(AgentCounter.WIRE_BYTES_TOTAL, epoch.payloadBytes());
        if (epoch.kind() == EpochKind.CHECKPOINT) {
            counters.increment(AgentCounter.EPOCHS_TOTAL);
        }
    }

    void verified(final ReplicaVerification result) {
        counters.increment(result.differingPages() == 0 ? AgentCounter.VERIFIED_EPOCHS : AgentCounter.VERIFY_FAILURES);
    }

    void synchronising() {
        counters.increment(AgentCounter.SYNCHRONISATIONS);
    }

    void tookOver(final long detectNanos, final long resumeNanos) {
        counters.set(AgentCounter.DETECT_NANOS_LAST, detectNanos);
        counters.set(AgentCounter.RESUME_NANOS_LAST, resumeNanos);
    }
}
