package org.resilire.primary;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** When primary and replica are compared, and what comes of it. Checkpoint thread only. */
final class Verification {

    private static final Logger LOG = LoggerFactory.getLogger(Verification.class);

    private final PrimarySession session;
    private final VerifyRequests requests;
    private final PrimaryMetrics metrics;
    private final long every;
    private long checkpointsSince;
    private long lastReportEpoch = -1;

    /** @param every compare at every so many checkpoints; 0 for never unless asked */
    Verification(
            final PrimarySession session,
            final VerifyRequests requests,
            final PrimaryMetrics metrics,
            final long every) {
        this.session = session;
        this.requests = requests;
        this.metrics = metrics;
        this.every = every;
    }

    /** Whether the checkpoint of this epoch is to be compared; true once for each request. */
    boolean isDue(final long epoch) {
        final boolean due = every > 0 && ++checkpointsSince >= every;
        if (due) {
            checkpointsSince = 0;
        }
        final boolean asked = requests.takeRequest(epoch);
        return due || asked;
    }

    /** Deals with what the backup has found, if it has anything new to say. */
    void takeReport() {
        final PrimarySession.VerifyReport report = session.verifyReport();
        if (report == null || report.epoch() == lastReportEpoch) {
            return;
        }
        lastReportEpoch = report.epoch();
        metrics.verified(report.differingPages() == 0);
        if (report.differingPages() != 0) {
            final String message = report.differingPages() + " of " + report.comparedPages()
                    + " pages of the replica differ at epoch " + report.epoch() + ", first pages "
                    + report.firstDiffering();
            LOG.error(message);
            metrics.error(message);
        }
        requests.complete(report);
    }
}
