package org.resilire.guest.guard;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.resilire.guest.PausedMarker;

/**
 * The 8 bytes through which an agent tells its guard that it has paused the guest. The agent writes, any process that maps
 * the file reads, at any time.
 *
 * <pre>
 *   0        the guest is not paused by the agent
 *   1        it is, since an unknown instant
 *   2        it is, left so by an agent that died
 *   other    it is, since this System.nanoTime() (CLOCK_MONOTONIC, the same for all processes of a host)
 * </pre>
 */
public final class PausedFlag implements PausedMarker {

    /** Value of a guest that the agent has not paused. */
    public static final long NOT_PAUSED = 0;

    /** Value of a guest paused since an unknown instant. */
    public static final long PAUSED = 1;

    private static final VarHandle FLAG = ValueLayout.JAVA_LONG.varHandle();

    private final MemorySegment segment;
    private final long offset;

    /** Value of a guest that a dead agent left paused: since so long that no guard may end it. */
    public static final long LEFT_PAUSED = 2;

    /** Uses 8 bytes of a shared mapping, aligned to 8. */
    public PausedFlag(final MemorySegment segment, final long offset) {
        this.segment = segment;
        this.offset = offset;
    }

    @Override
    public void pausedByAgent(final boolean paused) {
        FLAG.setVolatile(segment, offset, paused ? System.nanoTime() : NOT_PAUSED);
    }

    /** {@link #NOT_PAUSED}, {@link #PAUSED}, or the instant of the pause. */
    public long value() {
        return (long) FLAG.getVolatile(segment, offset);
    }
}
