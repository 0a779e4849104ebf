package org.resilire.net.replay;

import java.lang.foreign.MemorySegment;
import org.agrona.MutableDirectBuffer;

/**
 * What a guest has let out, flow by flow: the boundary from which on responses are new after a failover (LLM, SSS 2010, the second
 * boundary). Of a TCP flow: how far its sequence numbers have gone, the ISN of a connection that was just opened, the newest
 * timestamp; of any flow: how many frames left within the epoch. Flows that changed since they were last told wait to be told.
 *
 * <p>Bounded: flows that were silent for some epochs give way to others; a flow for which there is no room all the same is counted and
 * not told about, which costs duplicates after a failover. The network thread's; allocates nothing after construction.
 */
public final class EmittedFlows {

    /** 16,384 flows in 2 MiB. */
    public static final int DEFAULT_CAPACITY = 1 << 14;

    /** More epochs than can be unacknowledged: what an older one let out is in the replica. */
    private static final long KEPT_EPOCHS = 4;

    private final FlowTable table;
    private final FrameView view = new FrameView();
    private final FlowKey key = new FlowKey();
    private final int[] next;
    private final int[] isn;
    private final int[] timestamp;
    private final int[] frames;
    private final int[] flags;
    private final long[] epochs;
    private final boolean[] untold;
    private final int[] untoldSlots;
    private int untoldCount;

    private long emittedFrames;
    private long emittedBytes;
    private long framesBeforeEpoch;
    private long bytesBeforeEpoch;
    private long framesOfLastEpoch;
    private long bytesOfLastEpoch;
    private long newestEpoch;
    private long untrackedFrames;

    /**
     * Makes an empty table.
     *
     * @param capacity flows, a power of two
     * @param seed of the hash; hard to guess
     */
    public EmittedFlows(final int capacity, final long seed) {
        table = new FlowTable(capacity, seed);
        next = new int[capacity];
        isn = new int[capacity];
        timestamp = new int[capacity];
        frames = new int[capacity];
        flags = new int[capacity];
        epochs = new long[capacity];
        untold = new boolean[capacity];
        untoldSlots = new int[capacity];
    }

    /** A frame of this epoch, of the guest's, has left. */
    public void onEmitted(final MemorySegment memory, final long offset, final int lengthBytes, final long epoch) {
        if (epoch > newestEpoch) {
            beginEpoch(epoch);
        }
        emittedFrames++;
        emittedBytes += lengthBytes;
        final FrameView.Kind kind = view.wrap(memory, offset, lengthBytes, true);
        if (kind == FrameView.Kind.OTHER) {
            return;
        }
        final int slot = slotOf(epoch);
        if (slot == FlowTable.NONE) {
            untrackedFrames++;
            return;
        }
        if (epoch > epochs[slot]) {
            // What was not told of an earlier epoch by now is not told: too few are suppressed then, never too many.
            epochs[slot] = epoch;
            frames[slot] = 0;
            flags[slot] &= ~EmittedRecord.HAS_ISN;
        }
        frames[slot]++;
        if (kind == FrameView.Kind.TCP) {
            onSegment(slot);
        }
        if (!untold[slot]) {
            untold[slot] = true;
            untoldSlots[untoldCount++] = slot;
        }
    }

    private void beginEpoch(final long epoch) {
        framesOfLastEpoch = emittedFrames - framesBeforeEpoch;
        bytesOfLastEpoch = emittedBytes - bytesBeforeEpoch;
        framesBeforeEpoch = emittedFrames;
        bytesBeforeEpoch = emittedBytes;
        newestEpoch = epoch;
    }

    private int slotOf(final long epoch) {
        final int known = table.find(view.key());
        if (known != FlowTable.NONE) {
            table.stamp(known, epoch);
            return known;
        }
        final int slot = table.add(view.key(), epoch, epoch - KEPT_EPOCHS);
        if (slot != FlowTable.NONE) {
            frames[slot] = 0;
            flags[slot] = 0;
            epochs[slot] = epoch;
        }
        return slot;
    }

    private void onSegment(final int slot) {
        final int end = view.end();
        if (view.has(FrameView.SYN)) {
            isn[slot] = view.sequence();
            next[slot] = end;
            flags[slot] = EmittedRecord.HAS_ISN
                    | EmittedRecord.HAS_NEXT
                    | (view.has(FrameView.ACK) ? 0 : EmittedRecord.OPENED_BY_GUEST);
        } else if ((flags[slot] & EmittedRecord.HAS_NEXT) == 0 || end - next[slot] > 0) {
            next[slot] = end;
            flags[slot] |= EmittedRecord.HAS_NEXT;
        }
        if (view.hasTimestamp()) {
            timestamp[slot] = view.timestampValue();
            flags[slot] |= EmittedRecord.HAS_TIMESTAMP;
        }
    }

    /** Whether a flow waits to be told. */
    public boolean hasUntold() {
        return untoldCount > 0;
    }

    /** How many flows wait to be told. */
    public int untoldCount() {
        return untoldCount;
    }

    /**
     * Tells about flows, and takes them for told.
     *
     * @param limit at most so many; room for so many records must be there
     * @return bytes written
     */
    public int tell(final MutableDirectBuffer into, final int offset, final int limit) {
        int at = offset;
        for (int told = 0; told < limit && untoldCount > 0; told++) {
            final int slot = untoldSlots[--untoldCount];
            untold[slot] = false;
            table.key(slot, key);
            EmittedRecord.write(
                    into, at, key, epochs[slot], next[slot], isn[slot], timestamp[slot], frames[slot], flags[slot]);
            at += EmittedRecord.LENGTH_BYTES;
        }
        return at - offset;
    }

    /** Bytes of {@code flows} told at a time. */
    public static int lengthBytes(final int flows) {
        return flows * EmittedRecord.LENGTH_BYTES;
    }

    /** Flows in the table. */
    public int flows() {
        return table.size();
    }

    public long emittedFrames() {
        return emittedFrames;
    }

    /** Frames that left in the last whole epoch. */
    public long framesOfLastEpoch() {
        return framesOfLastEpoch;
    }

    public long bytesOfLastEpoch() {
        return bytesOfLastEpoch;
    }

    /** Frames of flows for which there was no room. */
    public long untrackedFrames() {
        return untrackedFrames;
    }
}
