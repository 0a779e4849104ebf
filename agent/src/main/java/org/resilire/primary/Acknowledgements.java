package org.resilire.primary;

import org.resilire.net.OutputSignal;

/** What follows from an acknowledgement: output may leave, figures are taken, and the checkpoint thread is woken if it waits for that. Link thread. */
final class Acknowledgements implements PrimaryLink.AckListener {

    private final OutputRelease release;
    private final CommitClock commitClock;
    private final EpochSender sender;
    private final PrimaryMetrics metrics;
    private final OutputSignal outputSignal;

    Acknowledgements(
            final OutputRelease release,
            final CommitClock commitClock,
            final EpochSender sender,
            final PrimaryMetrics metrics,
            final OutputSignal outputSignal) {
        this.release = release;
        this.commitClock = commitClock;
        this.sender = sender;
        this.metrics = metrics;
        this.outputSignal = outputSignal;
    }

    @Override
    public void onAcknowledged(final long epoch, final boolean restorable, final long nowNanos) {
        if (restorable) {
            release.acknowledged(epoch);
        }
        metrics.committed(
                epoch,
                commitClock.acknowledged(epoch, nowNanos),
                sender.transfers(),
                nowNanos,
                sender.wireBytesTotal());
    }

    @Override
    public void afterAcknowledged() {
        outputSignal.progressed();
    }
}
