package org.resilire.net.replay;

import java.lang.foreign.MemorySegment;
import org.agrona.DirectBuffer;
import org.resilire.net.FrameRing;

/**
 * Reads a log before it is replayed, and what is added to it meanwhile: which connections were opened, with which ISN, what their remote
 * ends have acknowledged, what the guest had let out. Not thread-safe.
 */
final class ReplayScan {

    private final ReplayFlows flows;
    private final FrameView view = new FrameView();
    private final FlowKey key = new FlowKey();
    private long untrackedFlows;

    ReplayScan(final ReplayFlows flows) {
        this.flows = flows;
    }

    /** Reads all of it. */
    void read(final ReplayLog log) {
        final FrameRing ring = log.ring();
        for (long at = ring.first(); ring.isFrame(at); at = ring.next(at)) {
            if (ring.mark(at) == ReplayLog.EMITTED) {
                onEmitted(log.buffer(), (int) ring.frameOffset(at), ring.lengthBytes(at), log.committedEpoch());
            } else {
                onInbound(ring.memory(), ring.frameOffset(at), ring.lengthBytes(at));
            }
        }
    }

    /** A frame for the guest. */
    void onInbound(final MemorySegment frames, final long offset, final int lengthBytes) {
        if (view.wrap(frames, offset, lengthBytes, false) == FrameView.Kind.TCP) {
            final int flow = flowOf();
            if (flow == ReplayFlows.NONE) {
                untrackedFlows++;
            } else {
                note(flow);
            }
        }
    }

    private int flowOf() {
        final int known = flows.newest(view.key());
        if (!view.has(FrameView.SYN)) {
            return known == ReplayFlows.NONE ? flows.add(view.key(), ReplayFlows.Phase.UNKNOWN) : known;
        }
        if (known != ReplayFlows.NONE && opens(flows, known, view)) {
            flows.remoteIsn(known, view.sequence());
            return known;
        }
        final int flow = flows.add(view.key(), ReplayFlows.Phase.OPENING);
        if (flow != ReplayFlows.NONE) {
            flows.isOpenedAnew[flow] = true;
            flows.isGuestsOwn[flow] = view.has(FrameView.ACK);
            flows.remoteIsn(flow, view.sequence());
            if (view.has(FrameView.ACK)) {
                flows.worldIsn(flow, view.acknowledgment() - 1);
            }
        }
        return flow;
    }

    /** Whether this inbound SYN is the opening, or its repetition, of just this entry. */
    static boolean opens(final ReplayFlows flows, final int flow, final FrameView syn) {
        if (!flows.isOpenedAnew[flow] || flows.isGuestsOwn[flow] != syn.has(FrameView.ACK)) {
            return false;
        }
        return syn.has(FrameView.ACK)
                ? flows.hasWorldIsn[flow] && flows.worldIsn[flow] == syn.acknowledgment() - 1
                : !flows.hasRemoteIsn[flow] || flows.remoteIsn[flow] == syn.sequence();
    }

    private void note(final int flow) {
        if (!flows.hasRemoteIsn[flow]) {
            // What a client sends first follows its SYN.
            flows.remoteIsn(flow, view.sequence() - 1);
        }
        flows.remoteNext(flow, view.end());
        if (!view.has(FrameView.ACK) || view.has(FrameView.RST)) {
            return;
        }
        learnWorldIsn(flows, flow, view);
        flows.acknowledged(flow, view.acknowledgment());
        if (view.hasTimestamp()) {
            flows.timestamp(flow, view.timestampEcho());
        }
    }

    /** What a client acknowledges first is the guest's SYN. */
    static void learnWorldIsn(final ReplayFlows flows, final int flow, final FrameView inbound) {
        if (flows.isOpenedAnew[flow] && !flows.hasWorldIsn[flow]) {
            flows.worldIsn(flow, inbound.acknowledgment() - 1);
            flows.settleDelta(flow);
        }
    }

    private void onEmitted(final DirectBuffer records, final int offset, final int lengthBytes, final long committed) {
        for (int at = offset; at < offset + lengthBytes; at += EmittedRecord.LENGTH_BYTES) {
            if (EmittedRecord.epoch(records, at) > committed) {
                EmittedRecord.key(records, at, key);
                if (key.isTcp()) {
                    onEmittedSegments(records, at);
                } else {
                    onEmittedDatagrams(records, at);
                }
            }
        }
    }

    private void onEmittedSegments(final DirectBuffer records, final int at) {
        int flow = flows.newest(key);
        final boolean hasIsn = EmittedRecord.has(records, at, EmittedRecord.HAS_ISN);
        final int isn = EmittedRecord.isn(records, at);
        if (hasIsn && EmittedRecord.has(records, at, EmittedRecord.OPENED_BY_GUEST)) {
            final boolean isKnown = flow != ReplayFlows.NONE && flows.isGuestsOwn[flow] && flows.worldIsn[flow] == isn;
            flow = isKnown ? flow : flows.add(key, ReplayFlows.Phase.OPENING);
            if (flow != ReplayFlows.NONE) {
                flows.isOpenedAnew[flow] = true;
                flows.isGuestsOwn[flow] = true;
            }
        } else if (flow == ReplayFlows.NONE) {
            flow = flows.add(key, ReplayFlows.Phase.UNKNOWN);
            if (flow != ReplayFlows.NONE) {
                // The checkpoint has the SYN; whether the guest had looked at it, it will show.
                flows.isOpenedAnew[flow] = hasIsn;
            }
        }
        if (flow == ReplayFlows.NONE) {
            untrackedFlows++;
            return;
        }
        if (hasIsn && flows.isOpenedAnew[flow]) {
            flows.worldIsn(flow, isn);
        }
        if (EmittedRecord.has(records, at, EmittedRecord.HAS_NEXT)) {
            flows.emitted(flow, EmittedRecord.next(records, at));
        }
        if (EmittedRecord.has(records, at, EmittedRecord.HAS_TIMESTAMP)) {
            flows.timestamp(flow, EmittedRecord.timestamp(records, at));
        }
    }

    private void onEmittedDatagrams(final DirectBuffer records, final int at) {
        final int known = flows.newest(key);
        final int flow = known == ReplayFlows.NONE ? flows.add(key, ReplayFlows.Phase.FOLLOWED) : known;
        if (flow == ReplayFlows.NONE) {
            untrackedFlows++;
            return;
        }
        final long epoch = EmittedRecord.epoch(records, at);
        final int frames = Math.max(0, EmittedRecord.frames(records, at));
        // Within an epoch they are counted up.
        final int before = flows.toldEpoch[flow] == epoch ? flows.toldFrames[flow] : 0;
        flows.datagramsToSuppress[flow] += Math.max(0, frames - before);
        flows.toldEpoch[flow] = epoch;
        flows.toldFrames[flow] = frames;
    }

    long untrackedFlows() {
        return untrackedFlows;
    }
}
