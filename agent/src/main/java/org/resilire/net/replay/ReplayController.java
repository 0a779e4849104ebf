package org.resilire.net.replay;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.NanoClock;
import org.resilire.net.FrameReplay;
import org.resilire.net.FrameRing;
import org.resilire.net.FrameSink;
import org.resilire.net.replay.ReplayFlows.Phase;

/**
 * Gives a guest that goes on from a checkpoint what had arrived since, in the order in which it arrived, then what arrives now, and has
 * {@link ReplayOutput} let the world see only what it has not (LLM, SSS 2010). See the package's description for what TCP asks for and
 * what cannot be promised.
 *
 * <p>The order is that of the log over all flows, since a client may say on one connection what it learnt on another: when a frame has
 * to wait, all behind it do. It waits for the guest to have sent what it acknowledges, a bounded time ({@link ReplayProgress}); then its
 * flow counts as diverged, is not waited for again, and what it acknowledges is cut to what the guest has sent.
 *
 * <p>The network thread's, except for the counters. In steady state, and for each frame, it allocates nothing.
 */
public final class ReplayController implements FrameReplay, AutoCloseable {

    /** Connections that can be followed. */
    public static final int DEFAULT_MAX_FLOWS = 1 << 14;

    private static final int FRAMES_A_CALL = 64;

    /** So far before what the guest expects, that it must say what it does expect. */
    private static final int PROBE_BACK = 1 << 16;

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
    private final ReplayProgress progress;
    private final ReplayCounters counters = new ReplayCounters();
    private final ReplayOutput output;
    private final NanoClock clock;
    private final FrameView view = new FrameView();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(ReplayLog.MAX_ENTRY_BYTES, Long.BYTES);

    private boolean isAllAsked;
    private long askPosition = NOT_BEGUN;

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
        this.progress = new ReplayProgress(clock);
        this.output =
                new ReplayOutput(flows, progress, counters, Math.clamp(clockBackMillis, 0, Integer.MAX_VALUE >> 1));
        this.clock = clock;
    }

    /** Reads the log; once, before the network runs. */
    public void begin() {
        scan.read(log);
        for (int flow = 0; flow < flows.count(); flow++) {
            flows.settleDelta(flow);
        }
        progress.begin();
        counters.set(ReplayCounter.UNTRACKED_FLOWS, scan.untrackedFlows());
    }

    /** What was counted; any thread. */
    public long counted(final ReplayCounter counter) {
        return counters.value(counter);
    }

    @Override
    public boolean isWaiting() {
        return progress.isReplaying();
    }

    @Override
    public int deliverDue(final FrameSink guest) {
        if (!progress.isReplaying()) {
            return 0;
        }
        final long nowNanos = clock.nanoTime();
        progress.look(nowNanos);
        if (!isAllAsked && !askAhead(guest)) {
            return 0;
        }
        int done = 0;
        while (done < FRAMES_A_CALL && !ring.isEmpty() && deliverHead(guest, nowNanos)) {
            done++;
        }
        if (ring.isEmpty()) {
            counters.set(ReplayCounter.REPLAY_NANOS, progress.end(nowNanos));
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
            counters.add(ReplayCounter.REPLAYED_FRAMES);
        } else {
            counters.add(ReplayCounter.SKIPPED_FRAMES);
        }
        ring.removeHead();
        progress.goOn();
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
                    progress.hold(nowNanos);
                }
                yield Turn.WAIT;
            }
            case ASKED -> waitOrDiverge(flow, nowNanos);
            case OPENING -> {
                if (!flows.isGuestsOwn[flow] || !progress.isOverdue(nowNanos)) {
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
        if (!progress.isOverdue(nowNanos)) {
            return Turn.WAIT;
        }
        flows.phase[flow] = Phase.DIVERGED;
        counters.add(ReplayCounter.DIVERGED_FLOWS);
        return Turn.SEND;
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
        if (progress.isReplaying()) {
            if (lengthBytes <= ReplayLog.MAX_ENTRY_BYTES
                    && ring.offer(frames, offset, lengthBytes, 0, ReplayLog.FRAME)) {
                scan.onInbound(frames, offset, lengthBytes);
                counters.add(ReplayCounter.QUEUED_FRAMES);
            } else {
                counters.add(ReplayCounter.DROPPED_FRAMES);
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
            if (!wasTranslated && flows.isTranslated(flow)) {
                counters.add(ReplayCounter.TRANSLATED_FLOWS);
            }
        }
        translateInbound(flow);
        return true;
    }

    @Override
    public boolean onOutbound(final MemorySegment frames, final long offset, final int lengthBytes) {
        return output.leaves(frames, offset, lengthBytes);
    }

    private void translateInbound(final int flow) {
        if (view.has(FrameView.ACK)) {
            int acknowledgment = view.acknowledgment() - flows.delta[flow];
            if (progress.isReplaying() && flows.hasGuestNext[flow] && acknowledgment - flows.guestNext[flow] > 0) {
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

    /** When the network has ended. */
    @Override
    public void close() {
        arena.close();
    }
}
