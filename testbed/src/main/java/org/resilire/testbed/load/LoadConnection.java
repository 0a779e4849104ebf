package org.resilire.testbed.load;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One client with one connection, in a closed loop: the next request follows the answer to the last. The connection is never
 * made anew: one that breaks has not survived. Subclasses know the protocol.
 */
abstract class LoadConnection implements AutoCloseable {

    private final String name;
    private final LoadPace pace;
    private final Duration thinkTime;
    private final OperationLog log;
    private final Thread thread;

    private final AtomicLong acknowledged = new AtomicLong();

    /** Answers that do not follow from the one before. */
    private final AtomicLong rewinds = new AtomicLong();

    private volatile long lastAcknowledgedNs;
    private volatile String failure = "";

    LoadConnection(final String name, final LoadPace pace, final Duration thinkTime, final OperationLog log) {
        this.name = name;
        this.pace = pace;
        this.thinkTime = thinkTime;
        this.log = log;
        thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
    }

    final void start() {
        thread.start();
    }

    private void run() {
        try {
            while (pace.think(thinkTime)) {
                operate();
            }
        } catch (final RuntimeException broken) {
            failure = broken.getMessage() == null ? broken.toString() : broken.getMessage();
        }
    }

    /** One request and its answer; throws if the connection breaks. */
    abstract void operate();

    /**
     * Asks the other side whether this is the connection that was opened at the start; throws if it cannot answer. Called
     * when the load is over.
     */
    abstract boolean isSameConnection();

    final void acknowledge(final Operation operation) {
        log.append(operation);
        lastAcknowledgedNs = operation.acknowledgedNs();
        acknowledged.incrementAndGet();
    }

    final void recordRewind() {
        rewinds.incrementAndGet();
    }

    /** False if it is still waiting for an answer then. */
    final boolean awaitEnd(final Duration limit) {
        try {
            return thread.join(limit);
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Once the load is over: whether the connection of the start still works. */
    final boolean hasSurvived() {
        if (!failure.isEmpty() || thread.isAlive()) {
            return false;
        }
        try {
            if (isSameConnection()) {
                return true;
            }
            failure = "it is another connection now";
        } catch (final RuntimeException broken) {
            failure = String.valueOf(broken.getMessage());
        }
        return false;
    }

    final String name() {
        return name;
    }

    final long acknowledged() {
        return acknowledged.get();
    }

    /** 0 before the first. */
    final long lastAcknowledgedNs() {
        return lastAcknowledgedNs;
    }

    final long rewinds() {
        return rewinds.get();
    }

    /** Why it broke; empty while it has not. */
    final String failure() {
        return failure;
    }

    final List<Operation> operations() {
        return log.readBack();
    }

    @Override
    public void close() {
        log.close();
    }
}
