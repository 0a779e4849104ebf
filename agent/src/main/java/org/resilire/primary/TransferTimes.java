package org.resilire.primary;

import java.util.Arrays;

/** Remembers of the latest epochs what was sent of them, since when, and whether the link pushed back. Link thread only. */
final class TransferTimes {

    /** More than can be unacknowledged at a time. */
    private static final int EPOCHS = 8;

    private final long[] epochs = new long[EPOCHS];
    private final long[] startNanos = new long[EPOCHS];
    private final long[] bytes = new long[EPOCHS];
    private final boolean[] saturated = new boolean[EPOCHS];

    TransferTimes() {
        reset();
    }

    void reset() {
        Arrays.fill(epochs, -1);
    }

    /** A message of an epoch is about to be sent. */
    void onMessage(final long epoch, final int lengthBytes, final long nowNanos) {
        final int i = indexOf(epoch);
        if (epochs[i] != epoch) {
            epochs[i] = epoch;
            startNanos[i] = nowNanos;
            bytes[i] = 0;
            saturated[i] = false;
        }
        bytes[i] += lengthBytes;
    }

    void onBackPressure(final long epoch) {
        saturated[indexOf(epoch)] = true;
    }

    private static int indexOf(final long epoch) {
        return (int) (epoch & (EPOCHS - 1));
    }

    /** True if it is remembered. */
    boolean knows(final long epoch) {
        return epochs[indexOf(epoch)] == epoch;
    }

    long startNanos(final long epoch) {
        return startNanos[indexOf(epoch)];
    }

    long bytes(final long epoch) {
        return bytes[indexOf(epoch)];
    }

    boolean saturated(final long epoch) {
        return saturated[indexOf(epoch)];
    }
}
