package org.resilire.net.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLongArray;
import org.agrona.concurrent.NanoClock;
import org.resilire.net.FrameReplay;
import org.resilire.net.FrameRing;
import org.resilire.net.FrameSink;
import org.resilire.net.replay.ReplayFlows.Phase;

/**
 * Gives a guest that goes on from a checkpoint what had arrived since, in the order in which it arrived, and lets the world see only
 * what it has not (LLM, SSS 2010). See the package's description for what TCP asks for and what cannot be promised.
 *
 * <p>The order is that of the log over all flows, since a client may say on one connection what it learnt on another: when a frame has
 * to wait, all behind it do. It waits for the guest to have sent what it acknowledges, a bounded time; then its flow counts as diverged,
 * is not waited for again, and what it acknowledges is cut to what the guest has sent.
 *
 * <p>The network thread's, except for the counters. In steady state, and for each frame, it allocates nothing.
 */
public final class ReplayController implements FrameReplay, AutoCloseable {

    /** Connections that can be followed. */
    public static final int DEFAULT_MAX_FLOWS = 1 << 14;

    /** Without any progress of the guest's; as long as LLM's default period, after which its own timers have fired too. */
    static final long HOLD_LIMIT_NANOS = 250_000_000L;

    /** From the first sign of life of the guest on. */
    static final long REPLAY_LIMIT_NANOS = 5_000_000_000L;

    /** Until it gives a sign of life. */
    static final long GUEST_LIMIT_NANOS = 2_000_000_000L;

    /** Answers to the last frames of the log may still be duplicates for so long. */
    static final long GRACE_NANOS = 100_000_000L;

    private static final int FRAMES_A_CALL = 64;

    /** So far before what the guest expects, that it must say what it does expect. */
    private static final int PROBE_BACK = 1 << 16;

    /** What left in the last moments may carry later timestamps than what was told. */
    private static final int TIMESTAMP_SLACK = 20;

    private static final long NOT_BEGUN = -1;

    private enum Turn {
        SEND,
        WAIT,
        SKIP
    }

    private final ReplayLog log;
    private final FrameRing ring;
    private final ReplayFlows flows;
    private final ReplayScan scan;
    private final int clockBackMillis;
    private final NanoClock clock;
    private final FrameView view = new FrameView();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(ReplayLog.MAX_ENTRY_BYTES, Long.BYTES);
    private final AtomicLongArray counters = new AtomicLongArray(ReplayCounter.values().length);

    private boolean isReplaying = true;
    private boolean isAllAsked;
    private long askPosition = NOT_BEGUN;
    private boolean isGuestSeen;
    private boolean isHolding;
    private long startNanos;
    private long firstSignNanos;
    private long holdNanos;
    private long endNanos;
    private boolean datagramsAreNew;

    /**
     * Makes a replay; {@link #begin} prepares it.
     *
     * @param log since the checkpoint; the replay consumes it and puts what arrives meanwhile behind it
     * @param clockBackMillis by how much the guest's clock went back, at most
     * @param seed of the hash of flows; hard to guess
     */
    public ReplayController(
            final ReplayLog log,
            final long clockBackMillis,
            final long seed,
            final int maxFlows,
            final NanoClock clock) {
        this.log = log;
        this.ring = log.ring();
        this.flows = new ReplayFlows(maxFlows, seed);
        this.scan = new ReplayScan(flows);
        this.clockBackMillis = Math.clamp(clockBackMillis, 0, Integer.MAX_VALUE >> 1);
        this.clock = clock;
    }

    /** Reads the log; once, before the network runs. */
    public void begin() {
        scan.read(log);
        for (int flow = 0; flow < flows.count(); flow++) {
            flows.settleDelta(flow);
        }
        startNanos = clock.nanoTime();
        set(ReplayCounter.UNTRACKED_FLOWS, scan.untrackedFlows());
    }

    /** What was counted; any thread. */
    public long counted(final ReplayCounter counter) {
        return counters.getAcquire(counter.id());
    }

    @Override
    public boolean isWaiting() {
        return isReplaying;
    }

    @Override
    public int deliverDue(final FrameSink guest) {
        if (!isReplaying) {
            return 0;
        }
        final long nowNanos = clock.nanoTime();
        if (!isAllAsked && !askAhead(guest)) {
            return 0;
        }
        int done = 0;
        while (done < FRAMES_A_CALL && !ring.isEmpty() && deliverHead(guest, nowNanos)) {
            done++;
        }
        if (ring.isEmpty()) {
            isReplaying = false;
            endNanos = nowNanos;
            set(ReplayCounter.REPLAY_NANOS, Math.max(1, nowNanos - startNanos));
        }
        return done;
    }

    /** All flows of the log in one go, so that not each costs a round trip to the guest; false if the sink would block. */
    private boolean askAhead(final FrameSink guest) {
        if (askPosition == NOT_BEGUN) {
            askPosition = ring.first();
        }
        while (!ring.isEmpty() && ring.isFrame(askPosition)) {
            if (ring.mark(askPosition) == ReplayLog.FRAME && !askAbout(askPosition, guest)) {
                return false;
            }
            askPosition = ring.next(askPosition);
        }
        isAllAsked = true;
        return true;
    }

    private boolean askAbout(final long position, final FrameSink guest) {
        final FrameView.Kind kind =
                view.wrap(ring.memory(), ring.frameOffset(position), ring.lengthBytes(position), false);
        if (kind != FrameView.Kind.TCP || view.has(FrameView.SYN)) {
            return true;
        }
        final int flow = flows.current(view.key());
        if (flow == ReplayFlows.NONE || flows.phase[flow] != Phase.UNKNOWN) {
            return true;
        }
        if (!ask(ring.frameOffset(position), ring.lengthBytes(position), guest)) {
            return false;
        }
        flows.phase[flow] = Phase.ASKED;
        return true;
    }

    private boolean deliverHead(final FrameSink guest, final long nowNanos) {
        if (ring.headMark() == ReplayLog.EMITTED) {
            ring.removeHead();
            return true;
        }
        final int lengthBytes = ring.headLengthBytes();
        final boolean isTcp =
                view.wrap(ring.memory(), ring.headFrameOffset(), lengthBytes, false) == FrameView.Kind.TCP;
        final int flow = isTcp ? flowOfHead() : ReplayFlows.NONE;
        final Turn turn = flow == ReplayFlows.NONE ? Turn.SEND : turnOf(flow, guest, nowNanos);
        if (turn == Turn.WAIT) {
            return false;
        }
        if (turn == Turn.SEND) {
            MemorySegment.copy(ring.memory(), ring.headFrameOffset(), scratch, 0, lengthBytes);
            if (flow != ReplayFlows.NONE) {
                view.wrap(scratch, 0, lengthBytes, false);
                translateInbound(flow);
            }
            if (!guest.write(scratch, 0, lengthBytes)) {
                return false;
            }
            add(ReplayCounter.REPLAYED_FRAMES);
        } else {
            add(ReplayCounter.SKIPPED_FRAMES);
        }
        ring.removeHead();
        isHolding = false;
        return true;
    }

    /** A SYN may be the beginning of the next connection between the same ports. */
    private int flowOfHead() {
        final int flow = flows.current(view.key());
        if (flow == ReplayFlows.NONE || !view.has(FrameView.SYN)) {
            return flow;
        }
        final int next = flows.successor(flow);
        if (next == ReplayFlows.NONE || !ReplayScan.opens(flows, next, view)) {
            return flow;
        }
        flows.advance(view.key());
        return next;
    }

    private Turn turnOf(final int flow, final FrameSink guest, final long nowNanos) {
        if (view.has(FrameView.SYN) && !view.has(FrameView.ACK)) {
            return Turn.SEND;
        }
        return switch (flows.phase[flow]) {
            case UNKNOWN -> {
                if (ask(ring.headFrameOffset(), ring.headLengthBytes(), guest)) {
                    flows.phase[flow] = Phase.ASKED;
                    hold(nowNanos);
                }
                yield Turn.WAIT;
            }
            case ASKED -> waitOrDiverge(flow, nowNanos);
            case OPENING -> {
                if (!flows.isGuestsOwn[flow] || !isOverdue(nowNanos)) {
                    yield waitOrDiverge(flow, nowNanos);
                }
                // It opened another one: what came for this one would only be refused.
                flows.phase[flow] = Phase.GONE;
                yield Turn.SKIP;
            }
            case FOLLOWED -> {
                final boolean isAhead = view.has(FrameView.ACK)
                        && view.acknowledgment() - flows.delta[flow] - flows.guestNext[flow] > 0;
                yield isAhead ? waitOrDiverge(flow, nowNanos) : Turn.SEND;
            }
            case DIVERGED -> Turn.SEND;
            case GONE -> Turn.SKIP;
        };
    }

    private Turn waitOrDiverge(final int flow, final long nowNanos) {
        if (!isOverdue(nowNanos)) {
            return Turn.WAIT;
        }
        flows.phase[flow] = Phase.DIVERGED;
        add(ReplayCounter.DIVERGED_FLOWS);
        return Turn.SEND;
    }

    private boolean isOverdue(final long nowNanos) {
        if (!isHolding) {
            hold(nowNanos);
        }
        if (!isGuestSeen) {
            return nowNanos - startNanos > GUEST_LIMIT_NANOS;
        }
        final boolean isOver = nowNanos - firstSignNanos > REPLAY_LIMIT_NANOS;
        return isOver || nowNanos - Math.max(holdNanos, firstSignNanos) > HOLD_LIMIT_NANOS;
    }

    private void hold(final long nowNanos) {
        isHolding = true;
        holdNanos = nowNanos;
    }

    /**
     * Has the guest say how far it has sent: an acknowledgement far before what it expects is answered with one that tells (RFC 9293,
     * 3.10.7.4), and changes nothing.
     */
    private boolean ask(final long frameOffset, final int lengthBytes, final FrameSink guest) {
        MemorySegment.copy(ring.memory(), frameOffset, scratch, 0, lengthBytes);
        view.wrap(scratch, 0, lengthBytes, false);
        final int probeBytes = view.headerBytes();
        view.sequence(view.sequence() - PROBE_BACK);
        view.stripPayload(0);
        return guest.write(scratch, 0, probeBytes);
    }

    @Override
    public boolean onInbound(final MemorySegment frames, final long offset, final int lengthBytes) {
        if (isReplaying) {
            if (lengthBytes <= ReplayLog.MAX_ENTRY_BYTES
                    && ring.offer(frames, offset, lengthBytes, 0, ReplayLog.FRAME)) {
                scan.onInbound(frames, offset, lengthBytes);
                add(ReplayCounter.QUEUED_FRAMES);
            } else {
                add(ReplayCounter.DROPPED_FRAMES);
            }
            return false;
        }
        if (view.wrap(frames, offset, lengthBytes, false) != FrameView.Kind.TCP) {
            return true;
        }
        final int flow = flows.current(view.key());
        if (flow == ReplayFlows.NONE) {
            return true;
        }
        if (view.has(FrameView.SYN) && !ReplayScan.opens(flows, flow, view)) {
            flows.forget(view.key());
            return true;
        }
        if (view.has(FrameView.ACK) && !view.has(FrameView.RST)) {
            final boolean wasTranslated = flows.isTranslated(flow);
            ReplayScan.learnWorldIsn(flows, flow, view);
            countTranslated(flow, wasTranslated);
        }
        translateInbound(flow);
        return true;
    }

    private void translateInbound(final int flow) {
        if (view.has(FrameView.ACK)) {
            int acknowledgment = view.acknowledgment() - flows.delta[flow];
            if (isReplaying && flows.hasGuestNext[flow] && acknowledgment - flows.guestNext[flow] > 0) {
                // Linux drops what acknowledges more than was sent.
                acknowledgment = flows.guestNext[flow];
            }
            view.acknowledgment(acknowledgment);
            view.moveSelectiveAcknowledgments(-flows.delta[flow]);
        }
        if (view.hasTimestamp()) {
            final int echo = view.timestampEcho() - flows.clockDelta[flow];
            final boolean isAhead = flows.hasGuestTimestamp[flow] && echo - flows.guestTimestamp[flow] > 0;
            view.timestampEcho(isAhead ? flows.guestTimestamp[flow] : echo);
        }
    }

    @Override
    public boolean onOutbound(final MemorySegment frames, final long offset, final int lengthBytes) {
        if (!isGuestSeen) {
            isGuestSeen = true;
            firstSignNanos = clock.nanoTime();
        }
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
            add(ReplayCounter.SUPPRESSED_FRAMES);
        }
        return leaves;
    }

    /** A connection of which nothing is logged but that the guest now accepts: the client may have been told another ISN. */
    private int openedUnnoticed() {
        return isReplaying && view.has(FrameView.SYN) && view.has(FrameView.ACK)
                ? flows.add(view.key(), Phase.UNKNOWN)
                : ReplayFlows.NONE;
    }

    private boolean datagramLeaves(final int flow) {
        if (!isReplaying && !datagramsAreNew && clock.nanoTime() - endNanos > GRACE_NANOS) {
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
        final boolean isNew = progress(flow, end);
        final int worldEnd = end + flows.delta[flow];
        translateOutbound(flow);
        if (isAnswer || (isBare && isStale(flow))) {
            return false;
        }
        if (isBare) {
            return true;
        }
        if (isReplaying && isNew && isAcknowledged(flow, worldEnd)) {
            return false;
        }
        if (flows.hasEmitted[flow] && flows.emitted[flow] - worldEnd >= 0) {
            add(ReplayCounter.REPEATED_FRAMES);
        }
        return true;
    }

    /** True of an acknowledgement of less than what the log is about to bring. */
    private boolean isStale(final int flow) {
        return isReplaying && flows.hasRemoteNext[flow] && flows.remoteNext[flow] - view.acknowledgment() > 0;
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
        if (isReplaying && !isGuestsOwn && !flows.isOpenedAnew[flow]) {
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
            countTranslated(flow, wasTranslated);
            if (flows.phase[flow] == Phase.OPENING) {
                flows.phase[flow] = Phase.FOLLOWED;
            }
        }
        final boolean isNew = progress(flow, view.end());
        final int worldEnd = view.end() + flows.delta[flow];
        translateOutbound(flow);
        return !(isNew && flows.hasWorldIsn[flow] && isAcknowledged(flow, worldEnd));
    }

    private boolean progress(final int flow, final int end) {
        final boolean isNew = flows.guestNext(flow, end);
        if (isNew && isHolding) {
            holdNanos = clock.nanoTime();
        }
        return isNew;
    }

    private void countTranslated(final int flow, final boolean wasTranslated) {
        if (!wasTranslated && flows.isTranslated(flow)) {
            add(ReplayCounter.TRANSLATED_FLOWS);
        }
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

    private void add(final ReplayCounter counter) {
        final int i = counter.id();
        counters.setRelease(i, counters.getPlain(i) + 1);
    }

    private void set(final ReplayCounter counter, final long value) {
        counters.setRelease(counter.id(), value);
    }

    /** When the network has ended. */
    @Override
    public void close() {
        arena.close();
    }
}
