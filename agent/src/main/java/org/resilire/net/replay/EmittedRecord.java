package org.resilire.net.replay;

import java.nio.ByteOrder;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * Layout of what the primary tells about one flow that it let out: 72 bytes, little-endian.
 *
 * <pre>
 *    0                                    40      48     52    56      60       64      68
 *   ┌────────────────────────────────────┬───────┬──────┬─────┬───────┬────────┬───────┬────────┐
 *   │ local, remote (16 each), ports (8) │ epoch │ next │ ISN │ TSval │ frames │ flags │ unused │
 *   └────────────────────────────────────┴───────┴──────┴─────┴───────┴────────┴───────┴────────┘
 * </pre>
 *
 * <i>next</i> is the sequence number after the highest byte that left, <i>frames</i> how many left in the epoch.
 */
final class EmittedRecord {

    static final int LENGTH_BYTES = 72;

    /** The next sequence number is of account: it is a TCP flow of which something left. */
    static final int HAS_NEXT = 1;
    /** The connection was opened within this epoch: the ISN is of account. */
    static final int HAS_ISN = 2;
    /** The timestamp value is of account. */
    static final int HAS_TIMESTAMP = 4;
    /** With {@link #HAS_ISN}: it was the guest that opened it. */
    static final int OPENED_BY_GUEST = 8;

    private static final int KEY = 0;
    private static final int EPOCH = 40;
    private static final int NEXT = 48;
    private static final int ISN = 52;
    private static final int TIMESTAMP = 56;
    private static final int FRAMES = 60;
    private static final int FLAGS = 64;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private EmittedRecord() {}

    static void write(
            final MutableDirectBuffer into,
            final int at,
            final FlowKey key,
            final long epoch,
            final int next,
            final int isn,
            final int timestamp,
            final int frames,
            final int flags) {
        into.putLong(at + KEY, key.localHigh, ORDER);
        into.putLong(at + KEY + 8, key.localLow, ORDER);
        into.putLong(at + KEY + 16, key.remoteHigh, ORDER);
        into.putLong(at + KEY + 24, key.remoteLow, ORDER);
        into.putLong(at + KEY + 32, key.ports, ORDER);
        into.putLong(at + EPOCH, epoch, ORDER);
        into.putInt(at + NEXT, next, ORDER);
        into.putInt(at + ISN, isn, ORDER);
        into.putInt(at + TIMESTAMP, timestamp, ORDER);
        into.putInt(at + FRAMES, frames, ORDER);
        into.putInt(at + FLAGS, flags, ORDER);
        into.putInt(at + FLAGS + 4, 0, ORDER);
    }

    static void key(final DirectBuffer from, final int at, final FlowKey into) {
        into.set(
                from.getLong(at + KEY, ORDER),
                from.getLong(at + KEY + 8, ORDER),
                from.getLong(at + KEY + 16, ORDER),
                from.getLong(at + KEY + 24, ORDER),
                from.getLong(at + KEY + 32, ORDER));
    }

    static long epoch(final DirectBuffer from, final int at) {
        return from.getLong(at + EPOCH, ORDER);
    }

    static int next(final DirectBuffer from, final int at) {
        return from.getInt(at + NEXT, ORDER);
    }

    static int isn(final DirectBuffer from, final int at) {
        return from.getInt(at + ISN, ORDER);
    }

    static int timestamp(final DirectBuffer from, final int at) {
        return from.getInt(at + TIMESTAMP, ORDER);
    }

    static int frames(final DirectBuffer from, final int at) {
        return from.getInt(at + FRAMES, ORDER);
    }

    static boolean has(final DirectBuffer from, final int at, final int flag) {
        return (from.getInt(at + FLAGS, ORDER) & flag) != 0;
    }
}
