package org.resilire.disk;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps changes of overlapping ranges apart, so that what an observer sees last is what the disk holds. A lock stands for every
 * 64th megabyte: ranges far apart may wait for each other, overlapping ones always do. Allocates nothing.
 */
final class RangeLocks {

    private static final int STRIPES = Long.SIZE;
    private static final int STRIPE_SHIFT = 20;

    private final ReentrantLock[] locks = new ReentrantLock[STRIPES];

    RangeLocks() {
        for (int i = 0; i < STRIPES; i++) {
            locks[i] = new ReentrantLock();
        }
    }

    /**
     * Waits until nobody else holds a part of the range.
     *
     * @return what {@link #unlock} needs
     */
    long lock(final long offset, final long lengthBytes) {
        final long stripes = stripes(offset, lengthBytes);
        // Ascending, everyone: no two can wait for each other.
        for (long left = stripes; left != 0; left &= left - 1) {
            locks[Long.numberOfTrailingZeros(left)].lock();
        }
        return stripes;
    }

    void unlock(final long stripes) {
        for (long left = stripes; left != 0; left &= left - 1) {
            locks[Long.numberOfTrailingZeros(left)].unlock();
        }
    }

    static long stripes(final long offset, final long lengthBytes) {
        final long first = offset >>> STRIPE_SHIFT;
        final long count = ((offset + lengthBytes - 1) >>> STRIPE_SHIFT) - first + 1;
        if (count >= STRIPES) {
            return -1L;
        }
        return Long.rotateLeft((1L << count) - 1, (int) (first % STRIPES));
    }
}
