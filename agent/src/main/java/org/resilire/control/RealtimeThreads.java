package org.resilire.control;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import org.resilire.linux.LinuxException;
import org.resilire.linux.Scheduling;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes threads that the kernel schedules before ordinary ones (SCHED_RR). A sign of life that waits behind somebody's compiler is
 * taken for a dead host, so the threads that give and judge them must not wait. Any thread.
 */
public final class RealtimeThreads implements ThreadFactory {

    private static final Logger LOG = LoggerFactory.getLogger(RealtimeThreads.class);

    private final int priority;
    private final AtomicBoolean refusalReported = new AtomicBoolean();

    /**
     * Makes a factory.
     *
     * @param priority 1 (lowest) to 99; 0 for ordinary threads
     */
    public RealtimeThreads(final int priority) {
        if (priority < 0 || priority > 99) {
            throw new IllegalArgumentException("--realtime-priority is " + priority + ", but must be from 0 to 99");
        }
        this.priority = priority;
    }

    @Override
    public Thread newThread(final Runnable task) {
        return Thread.ofPlatform().unstarted(() -> {
            raisePriority();
            task.run();
        });
    }

    private void raisePriority() {
        if (priority == 0) {
            return;
        }
        try {
            Scheduling.setRoundRobinPriorityOfThisThread(priority);
        } catch (final LinuxException e) {
            if (refusalReported.compareAndSet(false, true)) {
                LOG.warn(
                        "threads run with ordinary priority, a busy host may be taken for a dead one: {}",
                        e.getMessage());
            }
        }
    }
}
