package org.resilire.net.replay;

import org.agrona.concurrent.NanoClock;

/**
 * How far a replay is, and for how long a frame of the log is waited for. A guest that shows no sign of life, or sends nothing new, or
 * takes too long for all of it, is not waited for any more: the flow that was waited for has diverged. Only time in which the guest was
 * listened to counts. The network thread's.
 */
final class ReplayProgress {

    /** Without any progress of the guest's; as long as LLM's default period, after which its own timers have fired too. */
    static final long HOLD_LIMIT_NANOS = 250_000_000L;

    /** From the first sign of life of the guest on. */
    static final long REPLAY_LIMIT_NANOS = 5_000_000_000L;

    /** Until it gives a sign of life. */
    static final long GUEST_LIMIT_NANOS = 2_000_000_000L;

    /** Answers to the last frames of the log may still be duplicates for so long. */
    static final long GRACE_NANOS = 100_000_000L;

    /**
     * So much counts at most between two looks at what waits, which are 0.1 ms apart. After more the network thread was off its
     * processor, the guest perhaps too, and what that sent meanwhile is still to be read.
     */
    static final long LOOK_LIMIT_NANOS = 10_000_000L;

    private final NanoClock clock;
    private boolean isReplaying = true;
    private boolean isGuestSeen;
    private boolean isHolding;
    private long startNanos;
    private long lookNanos;
    /** From here on the guest has been listened to; like the next two, moved on by the time in which it was not. */
    private long listenNanos;

    private long firstSignNanos;
    private long holdNanos;
    private long endNanos;

    ReplayProgress(final NanoClock clock) {
        this.clock = clock;
    }

    /** The guest's network is about to run. */
    void begin() {
        startNanos = clock.nanoTime();
        lookNanos = startNanos;
        listenNanos = startNanos;
    }

    /** To be called before each look at what waits: how long the last one is ago tells whether the guest was listened to. */
    void look(final long nowNanos) {
        final long awayNanos = nowNanos - lookNanos - LOOK_LIMIT_NANOS;
        lookNanos = nowNanos;
        if (awayNanos > 0) {
            listenNanos = later(listenNanos, awayNanos, nowNanos);
            firstSignNanos = later(firstSignNanos, awayNanos, nowNanos);
            holdNanos = later(holdNanos, awayNanos, nowNanos);
        }
    }

    /** Not after now: what was noted since the last look lost less. */
    private static long later(final long sinceNanos, final long awayNanos, final long nowNanos) {
        return nowNanos - Math.max(0, nowNanos - sinceNanos - awayNanos);
    }

    /** True until the last frame of the log was dealt with. */
    boolean isReplaying() {
        return isReplaying;
    }

    /**
     * The last frame of the log was dealt with.
     *
     * @return how long it took, at least 1
     */
    long end(final long nowNanos) {
        isReplaying = false;
        endNanos = nowNanos;
        return Math.max(1, nowNanos - startNanos);
    }

    /** True once what the guest sends cannot answer the log any more. */
    boolean isGraceOver() {
        return !isReplaying && clock.nanoTime() - endNanos > GRACE_NANOS;
    }

    /** The guest has sent something, whatever it is. */
    void onGuestSeen() {
        if (!isGuestSeen) {
            isGuestSeen = true;
            firstSignNanos = clock.nanoTime();
        }
    }

    /** The guest has sent something new: what waits for it goes on waiting. */
    void onGuestProgress() {
        if (isHolding) {
            holdNanos = clock.nanoTime();
        }
    }

    /** The next frame of the log waits from here on. */
    void hold(final long nowNanos) {
        isHolding = true;
        holdNanos = nowNanos;
    }

    /** That frame was dealt with. */
    void goOn() {
        isHolding = false;
    }

    /** Whether the next frame of the log has waited long enough; it waits at the latest from here on. */
    boolean isOverdue(final long nowNanos) {
        if (!isHolding) {
            hold(nowNanos);
        }
        if (!isGuestSeen) {
            return nowNanos - listenNanos > GUEST_LIMIT_NANOS;
        }
        final boolean isOver = nowNanos - firstSignNanos > REPLAY_LIMIT_NANOS;
        return isOver || nowNanos - Math.max(holdNanos, firstSignNanos) > HOLD_LIMIT_NANOS;
    }
}
