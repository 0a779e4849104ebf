package org.resilire.primary;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentState;
import org.resilire.control.ControlException;
import org.resilire.control.ControlProgress;
import tools.jackson.databind.JsonNode;

/** How a control thread waits for the checkpoint thread: for a limited time, and with a line of progress now and then. */
final class ProtectionWait {

    /** What is waited for. */
    interface Condition {
        /** Waits for so long; true once it has come. */
        boolean within(long nanos) throws InterruptedException;
    }

    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long DEFAULT_WAIT_MILLIS = TimeUnit.MINUTES.toMillis(5);
    private static final long MAX_WAIT_MILLIS = TimeUnit.DAYS.toMillis(1);

    private final ProtectionSwitch protectionSwitch;
    private final AgentCounters counters;

    ProtectionWait(final ProtectionSwitch protectionSwitch, final AgentCounters counters) {
        this.protectionSwitch = protectionSwitch;
        this.counters = counters;
    }

    /** How long a request wants its answer to wait: {@code waitMillis}, 0 for not at all. */
    static long waitMillis(final JsonNode request) {
        final JsonNode given = request.get("waitMillis");
        if (given == null) {
            return DEFAULT_WAIT_MILLIS;
        }
        if (!given.isIntegralNumber() || !given.canConvertToLong()) {
            throw new ControlException("\"waitMillis\" must be a whole number of milliseconds");
        }
        final long millis = given.longValue();
        if (millis < 0 || millis > MAX_WAIT_MILLIS) {
            throw new ControlException("\"waitMillis\" must be 0 to " + MAX_WAIT_MILLIS + ", not " + millis);
        }
        return millis;
    }

    /**
     * Waits until the guest is protected.
     *
     * @param isSettled see {@link ProtectionSwitch#awaitProtected}
     * @throws ControlException if it is not in time; its message says how things are
     */
    void forProtection(final long waitMillis, final BooleanSupplier isSettled, final ControlProgress progress)
            throws InterruptedException {
        final long limitNanos = TimeUnit.MILLISECONDS.toNanos(waitMillis);
        if (!forCondition(nanos -> protectionSwitch.awaitProtected(nanos, isSettled), limitNanos, progress)) {
            throw new ControlException("the guest is not protected after " + seconds(limitNanos)
                    + "; the agent goes on trying, it is " + state());
        }
    }

    /** Returns false if it does not come true in time. */
    boolean forCondition(final Condition condition, final long limitNanos, final ControlProgress progress)
            throws InterruptedException {
        long leftNanos = limitNanos;
        while (leftNanos > 0) {
            if (condition.within(Math.min(leftNanos, PROGRESS_NANOS))) {
                return true;
            }
            leftNanos -= PROGRESS_NANOS;
            progress.report(state());
        }
        return false;
    }

    private String state() {
        final AgentState state = AgentState.ofCode(counters.value(AgentCounter.STATE));
        if (state != AgentState.SYNCHRONISING) {
            return String.valueOf(state);
        }
        final long total = counters.value(AgentCounter.SYNC_PAGES_TOTAL);
        final long done = counters.value(AgentCounter.SYNC_PAGES_DONE);
        return total > 0 && done >= 0 ? state + ", " + 100 * done / total + " %" : state.toString();
    }

    /** For messages. */
    static String seconds(final long nanos) {
        return TimeUnit.NANOSECONDS.toSeconds(nanos) + " s";
    }
}
