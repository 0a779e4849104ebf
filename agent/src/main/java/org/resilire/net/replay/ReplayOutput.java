package org.resilire.net.replay;

import java.lang.foreign.MemorySegment;
import org.resilire.net.replay.ReplayFlows.Phase;

/**
 * Judges what a guest sends after it went back to a checkpoint: what the world has does not leave again, what leaves carries the
 * numbers that the world knows, and how far the guest has come is noted for the frames that wait for it. See the package's description.
 *
 * <p>The network thread's; allocates nothing.
 */
final class ReplayOutput {

    /** What left in the last moments may carry later timestamps than what was told. */
    private static final int TIMESTAMP_SLACK = 20;

    private final ReplayFlows flows;
    private final ReplayProgress progress;
    private final ReplayCounters counters;
    private final int clockBackMillis;
    private final FrameView view = new FrameView();
    private boolean datagramsAreNew;

    /** @param clockBackMillis by how much the guest's clock went back, at most */
    ReplayOutput(
            final ReplayFlows flows,
            final ReplayProgress progress,
            final ReplayCounters counters,
            final int clockBackMillis) {
        this.flows = flows;
        this.progress = progress;
        this.counters = counters;
        this.clockBackMillis = clockBackMillis;
    }

    /**
     * Judges a frame of the guest's, and translates it where it stands.
     *
     * @return false if it must not leave
     */
    boolean leaves(final MemorySegment frames, final long offset, final int lengthBytes) {
        progress.onGuestSeen();
        final FrameView.Kind kind = view.wrap(frames, offset, lengthBytes, true);
        if (kind == FrameView.Kind.OTHER) {
            return true;
        }
        final int known = flows.current(view.key());
        final int flow = known == ReplayFlows.NONE && kind == FrameView.Kind.TCP ? openedUnnoticed() : known;
        if (flow == ReplayFlows.NONE) {
            return true;
        }
        final boolean leaves = kind == FrameView.Kind.TCP ? segmentLeaves(flow) : datagramLeaves(flow);
        if (!leaves) {
            counters.add(ReplayCounter.SUPPRESSED_FRAMES);
        }
        return leaves;
    }

    /** A connection of which nothing is logged but that the guest now accepts: the client may have been told another ISN. */
    private int openedUnnoticed() {
        return progress.isReplaying() && view.has(FrameView.SYN) && view.has(FrameView.ACK)
                ? flows.add(view.key(), Phase.UNKNOWN)
                : ReplayFlows.NONE;
    }

    private boolean datagramLeaves(final int flow) {
        if (!datagramsAreNew && progress.isGraceOver()) {
            datagramsAreNew = true;
            flows.suppressNoDatagrams();
        }
        if (flows.datagramsToSuppress[flow] == 0) {
            return true;
        }
        flows.datagramsToSuppress[flow]--;
        return false;
    }

    private boolean segmentLeaves(final int flow) {
        if (view.has(FrameView.RST)) {
            return resetLeaves(flow);
        }
        if (view.has(FrameView.SYN)) {
            return openingLeaves(flowOfOpening(flow));
        }
        if (flows.phase[flow] == Phase.OPENING && !flows.isGuestsOwn[flow]) {
            // It has the connection already: the checkpoint had seen the SYN.
            flows.isOpenedAnew[flow] = false;
            flows.delta[flow] = 0;
            flows.phase[flow] = Phase.FOLLOWED;
        }
        final int end = view.end();
        final boolean isBare = end == view.sequence();
        final boolean isAnswer = flows.phase[flow] == Phase.ASKED && isBare;
        if (isAnswer) {
            flows.phase[flow] = Phase.FOLLOWED;
        }
        final boolean isNew = hasSent(flow, end);
        final int worldEnd = end + flows.delta[flow];
        translateOutbound(flow);
        if (isAnswer || (isBare && isStale(flow))) {
            return false;
        }
        if (isBare) {
            return true;
        }
        if (progress.isReplaying() && isNew && isAcknowledged(flow, worldEnd)) {
            return false;
        }
        if (flows.hasEmitted[flow] && flows.emitted[flow] - worldEnd >= 0) {
            counters.add(ReplayCounter.REPEATED_FRAMES);
        }
        return true;
    }

    /** True of an acknowledgement of less than what the log is about to bring. */
    private boolean isStale(final int flow) {
        return progress.isReplaying()
                && flows.hasRemoteNext[flow]
                && flows.remoteNext[flow] - view.acknowledgment() > 0;
    }

    private boolean isAcknowledged(final int flow, final int worldEnd) {
        return flows.phase[flow] != Phase.DIVERGED
                && flows.hasAcknowledged[flow]
                && flows.acknowledged[flow] - worldEnd >= 0;
    }

    private boolean resetLeaves(final int flow) {
        if (flows.phase[flow] == Phase.ASKED) {
            // It only says that there is no such connection; whoever thinks so will hear it when it asks.
            flows.phase[flow] = Phase.GONE;
            return false;
        }
        view.sequence(view.sequence() + flows.delta[flow]);
        return true;
    }

    /** The log may not have come to it yet. */
    private int flowOfOpening(final int flow) {
        final int next = flows.successor(flow);
        if (next == ReplayFlows.NONE || !view.has(FrameView.ACK) || !flows.isAnswer(next, view.acknowledgment())) {
            return flow;
        }
        flows.advance(view.key());
        return next;
    }

    private boolean openingLeaves(final int flow) {
        final boolean isGuestsOwn = !view.has(FrameView.ACK);
        if (progress.isReplaying() && !isGuestsOwn && !flows.isOpenedAnew[flow]) {
            // The checkpoint has the client's SYN, but the guest had not looked at it yet.
            flows.isOpenedAnew[flow] = true;
            flows.remoteIsn(flow, view.acknowledgment() - 1);
            if (flows.hasFirstAcknowledgment[flow]) {
                flows.worldIsn(flow, flows.firstAcknowledgment[flow] - 1);
            }
        }
        final boolean isRepeated = flows.hasGuestIsn[flow] && flows.guestIsn[flow] == view.sequence();
        if (!flows.isOpenedAnew[flow]
                || flows.isGuestsOwn[flow] != isGuestsOwn
                || (flows.phase[flow] != Phase.OPENING && !isRepeated && isGuestsOwn)) {
            // Another connection between the same ports.
            flows.forget(view.key());
            return true;
        }
        if (!isRepeated) {
            final boolean wasTranslated = flows.hasGuestIsn[flow] && flows.isTranslated(flow);
            flows.hasGuestIsn[flow] = true;
            flows.guestIsn[flow] = view.sequence();
            flows.hasGuestNext[flow] = false;
            flows.settleDelta(flow);
            if (!wasTranslated && flows.isTranslated(flow)) {
                counters.add(ReplayCounter.TRANSLATED_FLOWS);
            }
            if (flows.phase[flow] == Phase.OPENING) {
                flows.phase[flow] = Phase.FOLLOWED;
            }
        }
        final boolean isNew = hasSent(flow, view.end());
        final int worldEnd = view.end() + flows.delta[flow];
        translateOutbound(flow);
        return !(isNew && flows.hasWorldIsn[flow] && isAcknowledged(flow, worldEnd));
    }

    private boolean hasSent(final int flow, final int end) {
        final boolean isNew = flows.guestNext(flow, end);
        if (isNew) {
            progress.onGuestProgress();
        }
        return isNew;
    }

    private void translateOutbound(final int flow) {
        if (flows.delta[flow] != 0) {
            view.sequence(view.sequence() + flows.delta[flow]);
        }
        if (view.hasTimestamp()) {
            final int value = view.timestampValue();
            if (!flows.hasClockDelta[flow]) {
                flows.hasClockDelta[flow] = true;
                flows.clockDelta[flow] = clockDelta(flow, value);
            }
            flows.hasGuestTimestamp[flow] = true;
            flows.guestTimestamp[flow] = value;
            view.timestampValue(value + flows.clockDelta[flow]);
        }
    }

    /** So that its timestamps never go back for the other end, which would drop them (RFC 7323, PAWS). */
    private int clockDelta(final int flow, final int value) {
        final int behind = flows.hasTimestamp[flow] ? flows.newestTimestamp[flow] + TIMESTAMP_SLACK - value : 0;
        return Math.max(clockBackMillis, behind);
    }
}
