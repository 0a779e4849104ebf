package org.resilire.net.replay;

import java.util.Arrays;

/**
 * What is known of each flow during and after a replay, as one entry a connection: a port pair that was used twice has two entries,
 * one after the other. Entries are numbers into arrays; allocates nothing after construction. Not thread-safe.
 *
 * <p>Two ways to count the bytes that the guest sends: the <em>world's</em>, by the ISN that the client was told, and the
 * <em>guest's</em>, by the ISN that it chose when it executed the opening again. {@code world = guest + delta}.
 */
final class ReplayFlows {

    static final int NONE = -1;

    /** What a flow's next logged frame has to wait for. */
    enum Phase {
        /** It was open at the checkpoint; how far the guest had sent is not known and must be asked. */
        UNKNOWN,
        /** Asked. */
        ASKED,
        /** The connection is opened anew: the guest's own SYN must come first. */
        OPENING,
        /** How far the guest has sent is known. */
        FOLLOWED,
        /** The guest does not do again what it did: nothing is waited for any more. */
        DIVERGED,
        /** The guest has no such connection. */
        GONE
    }

    private final FlowTable table;
    private final int[] currentOfSlot;
    private final int[] newestOfSlot;
    private final int[] successor;
    private int count;

    final Phase[] phase;
    /** Opened after the checkpoint. */
    final boolean[] isOpenedAnew;
    /** By the guest. */
    final boolean[] isGuestsOwn;

    final boolean[] hasRemoteIsn;
    final int[] remoteIsn;

    final boolean[] hasWorldIsn;
    final int[] worldIsn;
    final boolean[] hasGuestIsn;
    final int[] guestIsn;
    final int[] delta;

    /** How far the guest has sent by now, in its own numbers. */
    final boolean[] hasGuestNext;

    final int[] guestNext;
    /** What the remote end acknowledged first, as far as is known. */
    final boolean[] hasFirstAcknowledgment;

    final int[] firstAcknowledgment;
    /** What the remote end has acknowledged, in the world's numbers. */
    final boolean[] hasAcknowledged;

    final int[] acknowledged;
    /** What had left before the failover, as told, in the world's numbers. */
    final boolean[] hasEmitted;

    final int[] emitted;
    /** After the last byte that the remote end has sent. */
    final boolean[] hasRemoteNext;

    final int[] remoteNext;

    final boolean[] hasTimestamp;
    final int[] newestTimestamp;
    final boolean[] hasClockDelta;
    final int[] clockDelta;
    final boolean[] hasGuestTimestamp;
    final int[] guestTimestamp;

    final long[] toldEpoch;
    final int[] toldFrames;
    /** Datagrams that had left and are left out when they come again. */
    final int[] datagramsToSuppress;

    /** @param capacity entries, a power of two */
    ReplayFlows(final int capacity, final long seed) {
        table = new FlowTable(2 * capacity, seed);
        currentOfSlot = new int[2 * capacity];
        newestOfSlot = new int[2 * capacity];
        successor = new int[capacity];
        phase = new Phase[capacity];
        isOpenedAnew = new boolean[capacity];
        isGuestsOwn = new boolean[capacity];
        hasRemoteIsn = new boolean[capacity];
        remoteIsn = new int[capacity];
        hasWorldIsn = new boolean[capacity];
        worldIsn = new int[capacity];
        hasGuestIsn = new boolean[capacity];
        guestIsn = new int[capacity];
        delta = new int[capacity];
        hasGuestNext = new boolean[capacity];
        guestNext = new int[capacity];
        hasFirstAcknowledgment = new boolean[capacity];
        firstAcknowledgment = new int[capacity];
        hasAcknowledged = new boolean[capacity];
        acknowledged = new int[capacity];
        hasEmitted = new boolean[capacity];
        emitted = new int[capacity];
        hasRemoteNext = new boolean[capacity];
        remoteNext = new int[capacity];
        hasTimestamp = new boolean[capacity];
        newestTimestamp = new int[capacity];
        hasClockDelta = new boolean[capacity];
        clockDelta = new int[capacity];
        hasGuestTimestamp = new boolean[capacity];
        guestTimestamp = new int[capacity];
        toldEpoch = new long[capacity];
        toldFrames = new int[capacity];
        datagramsToSuppress = new int[capacity];
    }

    /** The entry that the guest's side is at, or {@link #NONE}. */
    int current(final FlowKey key) {
        final int slot = table.find(key);
        return slot == FlowTable.NONE ? NONE : currentOfSlot[slot];
    }

    /** The entry that what arrives now belongs to, or {@link #NONE}. */
    int newest(final FlowKey key) {
        final int slot = table.find(key);
        return slot == FlowTable.NONE ? NONE : newestOfSlot[slot];
    }

    /** A new entry, the newest of its flow; {@link #NONE} if there is no room. */
    int add(final FlowKey key, final Phase first) {
        if (count == phase.length) {
            return NONE;
        }
        int slot = table.find(key);
        final boolean isKnown = slot != FlowTable.NONE;
        if (!isKnown) {
            slot = table.add(key, 0, Long.MIN_VALUE);
            if (slot == FlowTable.NONE) {
                return NONE;
            }
        }
        final int flow = count++;
        phase[flow] = first;
        successor[flow] = NONE;
        if (isKnown) {
            successor[newestOfSlot[slot]] = flow;
        } else {
            currentOfSlot[slot] = flow;
        }
        newestOfSlot[slot] = flow;
        return flow;
    }

    /** The entry after this one for the same ports, or {@link #NONE}. */
    int successor(final int flow) {
        return successor[flow];
    }

    /** The guest's side goes on to the next entry. */
    void advance(final FlowKey key) {
        final int slot = table.find(key);
        currentOfSlot[slot] = successor[currentOfSlot[slot]];
    }

    /** The ports belong to a connection that has nothing to do with the replay. */
    void forget(final FlowKey key) {
        final int slot = table.find(key);
        if (slot != FlowTable.NONE) {
            table.remove(slot);
        }
    }

    /** Once both openings are known. */
    void settleDelta(final int flow) {
        if (hasWorldIsn[flow] && hasGuestIsn[flow]) {
            delta[flow] = worldIsn[flow] - guestIsn[flow];
        }
    }

    void remoteIsn(final int flow, final int value) {
        hasRemoteIsn[flow] = true;
        remoteIsn[flow] = value;
    }

    void worldIsn(final int flow, final int value) {
        hasWorldIsn[flow] = true;
        worldIsn[flow] = value;
    }

    /** Whether a SYN of the guest's that acknowledges this belongs to a client's opening. */
    boolean isAnswer(final int flow, final int acknowledgment) {
        return isOpenedAnew[flow] && !isGuestsOwn[flow] && hasRemoteIsn[flow] && remoteIsn[flow] == acknowledgment - 1;
    }

    boolean isTranslated(final int flow) {
        return delta[flow] != 0;
    }

    void acknowledged(final int flow, final int value) {
        if (!hasFirstAcknowledgment[flow]) {
            hasFirstAcknowledgment[flow] = true;
            firstAcknowledgment[flow] = value;
        }
        if (!hasAcknowledged[flow] || value - acknowledged[flow] > 0) {
            hasAcknowledged[flow] = true;
            acknowledged[flow] = value;
        }
    }

    void emitted(final int flow, final int value) {
        if (!hasEmitted[flow] || value - emitted[flow] > 0) {
            hasEmitted[flow] = true;
            emitted[flow] = value;
        }
    }

    void remoteNext(final int flow, final int value) {
        if (!hasRemoteNext[flow] || value - remoteNext[flow] > 0) {
            hasRemoteNext[flow] = true;
            remoteNext[flow] = value;
        }
    }

    void timestamp(final int flow, final int value) {
        if (!hasTimestamp[flow] || value - newestTimestamp[flow] > 0) {
            hasTimestamp[flow] = true;
            newestTimestamp[flow] = value;
        }
    }

    /** True if it is news. */
    boolean guestNext(final int flow, final int value) {
        if (hasGuestNext[flow] && value - guestNext[flow] <= 0) {
            return false;
        }
        hasGuestNext[flow] = true;
        guestNext[flow] = value;
        return true;
    }

    /** The guest's datagrams are new from here on. */
    void suppressNoDatagrams() {
        Arrays.fill(datagramsToSuppress, 0, count, 0);
    }

    int count() {
        return count;
    }
}
