package org.resilire.net.replay;

import java.util.Arrays;

/**
 * Finds the slot of a flow. Bounded: a flow may stand in one of a few slots only, so that neither a lookup nor an insertion takes
 * long, whatever a hostile peer sends; when these are taken by flows that are still wanted, there is no room for it. The hash is
 * seeded, so that nobody outside can aim at one place. Allocates nothing after construction. Not thread-safe.
 */
final class FlowTable {

    /** No slot. */
    static final int NONE = -1;

    private static final int SLOTS_A_FLOW = 16;
    private static final int KEY_LONGS = 5;
    private static final long FREE = Long.MIN_VALUE;
    private static final long MIX = 0x9e3779b97f4a7c15L;

    private final long[] keys;
    private final long[] stamps;
    private final int mask;
    private final long seed;
    private int size;

    /** @param capacity slots, a power of two of at least 16 */
    FlowTable(final int capacity, final long seed) {
        if (capacity < SLOTS_A_FLOW || Integer.bitCount(capacity) != 1) {
            throw new IllegalArgumentException("a table of flows cannot have " + capacity + " slots");
        }
        keys = new long[capacity * KEY_LONGS];
        stamps = new long[capacity];
        Arrays.fill(stamps, FREE);
        mask = capacity - 1;
        this.seed = seed;
    }

    int capacity() {
        return mask + 1;
    }

    int size() {
        return size;
    }

    /** The slot of a flow, or {@link #NONE}. */
    int find(final FlowKey key) {
        final int first = hash(key);
        for (int i = 0; i < SLOTS_A_FLOW; i++) {
            final int slot = (first + i) & mask;
            if (stamps[slot] != FREE && holds(slot, key)) {
                return slot;
            }
        }
        return NONE;
    }

    /**
     * A slot for a flow that has none.
     *
     * @param stamp how lately the flow was used; see {@link #stamp(int, long)}
     * @param evictBefore flows with an older stamp may give way
     * @return {@link #NONE} if there is no room
     */
    int add(final FlowKey key, final long stamp, final long evictBefore) {
        final int first = hash(key);
        int chosen = NONE;
        for (int i = 0; i < SLOTS_A_FLOW; i++) {
            final int slot = (first + i) & mask;
            if (stamps[slot] == FREE) {
                size++;
                return take(slot, key, stamp);
            }
            if (stamps[slot] < evictBefore && (chosen == NONE || stamps[slot] < stamps[chosen])) {
                chosen = slot;
            }
        }
        return chosen == NONE ? NONE : take(chosen, key, stamp);
    }

    private int take(final int slot, final FlowKey key, final long stamp) {
        final int at = slot * KEY_LONGS;
        keys[at] = key.localHigh;
        keys[at + 1] = key.localLow;
        keys[at + 2] = key.remoteHigh;
        keys[at + 3] = key.remoteLow;
        keys[at + 4] = key.ports;
        stamps[slot] = stamp;
        return slot;
    }

    /** Notes how lately a flow was used; anything but {@link Long#MIN_VALUE}. */
    void stamp(final int slot, final long stamp) {
        stamps[slot] = stamp;
    }

    void key(final int slot, final FlowKey into) {
        final int at = slot * KEY_LONGS;
        into.set(keys[at], keys[at + 1], keys[at + 2], keys[at + 3], keys[at + 4]);
    }

    void remove(final int slot) {
        if (stamps[slot] != FREE) {
            stamps[slot] = FREE;
            size--;
        }
    }

    void clear() {
        Arrays.fill(stamps, FREE);
        size = 0;
    }

    private boolean holds(final int slot, final FlowKey key) {
        final int at = slot * KEY_LONGS;
        return keys[at + 4] == key.ports
                && keys[at + 3] == key.remoteLow
                && keys[at + 1] == key.localLow
                && keys[at + 2] == key.remoteHigh
                && keys[at] == key.localHigh;
    }

    private int hash(final FlowKey key) {
        long h = seed;
        h = mix(h ^ key.localHigh);
        h = mix(h ^ key.localLow);
        h = mix(h ^ key.remoteHigh);
        h = mix(h ^ key.remoteLow);
        h = mix(h ^ key.ports);
        return (int) h & mask;
    }

    private static long mix(final long value) {
        final long product = value * MIX;
        return product ^ (product >>> 32);
    }
}
