package org.resilire.net.replay;

import java.lang.foreign.MemorySegment;
import org.agrona.MutableDirectBuffer;
import org.resilire.net.EmissionListener;
import org.resilire.net.InboundLog;
import org.resilire.net.NetworkCounter;

/** Keeps {@link EmittedFlows} of what a guest lets out and puts it into the log, a few flows at a time. The network thread's. */
public final class EmissionRecorder implements EmissionListener {

    /** An entry of these is no longer than one of a jumbo frame. */
    private static final int MOST_FLOWS_AN_ENTRY = 128;

    private final EmittedFlows flows;
    private final InboundLog.Emission emission = this::write;

    public EmissionRecorder(final EmittedFlows flows) {
        this.flows = flows;
    }

    @Override
    public void onEmitted(final MemorySegment frames, final long offset, final int lengthBytes, final long epoch) {
        flows.onEmitted(frames, offset, lengthBytes, epoch);
    }

    @Override
    public void tell(final InboundLog log) {
        if (flows.hasUntold()) {
            log.addEmission(emission, EmittedFlows.lengthBytes(Math.min(flows.untoldCount(), MOST_FLOWS_AN_ENTRY)));
        }
    }

    private int write(final MutableDirectBuffer into, final int offset, final int capacityBytes) {
        return flows.tell(into, offset, capacityBytes / EmittedRecord.LENGTH_BYTES);
    }

    @Override
    public long emitted(final NetworkCounter counter) {
        return switch (counter) {
            case EMITTED_FRAMES -> flows.emittedFrames();
            case EMITTED_FLOWS -> flows.flows();
            case EMITTED_FRAMES_LAST_EPOCH -> flows.framesOfLastEpoch();
            case EMITTED_BYTES_LAST_EPOCH -> flows.bytesOfLastEpoch();
            case UNTRACKED_FRAMES -> flows.untrackedFrames();
            default -> 0;
        };
    }
}
