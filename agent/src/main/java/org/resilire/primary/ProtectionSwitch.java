package org.resilire.primary;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.resilire.control.ControlException;

/**
 * Hands an operator's wish to pause protection, or to go on with it, from any thread to the checkpoint thread, and back what came
 * of it. It keeps the latest wish and nothing else, so it cannot grow. The checkpoint thread reads one field between checkpoints;
 * the lock is for changes alone.
 */
final class ProtectionSwitch {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    private volatile boolean pauseWanted;

    // Guarded by the lock.
    private boolean paused;
    private boolean backupKnows;
    private boolean reached;
    private String end;

    // ---------------------------------------------------------------- the operator's side

    /**
     * Wants protection paused.
     *
     * @return false if that was wanted before
     */
    boolean wantPause() {
        lock.lock();
        try {
            requireRunning();
            final boolean isNews = !pauseWanted;
            pauseWanted = true;
            changed.signalAll();
            return isNews;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Wants a guest protected again.
     *
     * @throws ControlException if protection is not paused, or not yet
     */
    void wantResume() {
        lock.lock();
        try {
            requireRunning();
            if (!pauseWanted) {
                throw new ControlException("protection is not paused: there is nothing to resume");
            }
            if (!paused) {
                throw new ControlException("protection is still being paused;"
                        + " resume it once 'resilire status' says PAUSED_BY_OPERATOR");
            }
            paused = false;
            reached = false;
            pauseWanted = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until protection is paused.
     *
     * @return false if it is not within the time
     * @throws ControlException if that is not wanted any more, or the agent ends
     */
    boolean awaitPaused(final long timeoutNanos) throws InterruptedException {
        return await(timeoutNanos, () -> {
            requireRunning();
            if (!pauseWanted) {
                throw new ControlException("protection was resumed meanwhile");
            }
            return paused;
        });
    }

    /**
     * Waits until the guest is protected.
     *
     * @return false if it is not within the time
     * @throws ControlException if that is not wanted any more, or the agent ends
     */
    boolean awaitProtected(final long timeoutNanos) throws InterruptedException {
        return awaitProtected(timeoutNanos, () -> true);
    }

    /**
     * The same, once something else has come true that a session which ends makes true before the next is protected.
     *
     * @param isSettled looked at whenever protection is lost or reached
     */
    boolean awaitProtected(final long timeoutNanos, final BooleanSupplier isSettled) throws InterruptedException {
        return await(timeoutNanos, () -> {
            requireRunning();
            if (pauseWanted) {
                throw new ControlException("protection was paused meanwhile");
            }
            return reached && isSettled.getAsBoolean();
        });
    }

    /**
     * Waits until the checkpoint thread has ended in order.
     *
     * @return how it ended, or null if it does not within the time
     */
    String awaitEnd(final long timeoutNanos) throws InterruptedException {
        await(timeoutNanos, () -> end != null);
        lock.lock();
        try {
            return end;
        } finally {
            lock.unlock();
        }
    }

    /** True if the backup has confirmed that it knows of the pause: it will not even take over by an operator's order. */
    boolean isBackupInformed() {
        lock.lock();
        try {
            return backupKnows;
        } finally {
            lock.unlock();
        }
    }

    private boolean await(final long timeoutNanos, final BooleanSupplier condition) throws InterruptedException {
        lock.lock();
        try {
            long leftNanos = timeoutNanos;
            while (!condition.getAsBoolean()) {
                if (leftNanos <= 0) {
                    return false;
                }
                leftNanos = changed.awaitNanos(leftNanos);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void requireRunning() {
        if (end != null) {
            throw new ControlException("the agent has ended: " + end);
        }
    }

    // ---------------------------------------------------------------- the checkpoint thread's side

    /** Cheap: for every turn of a loop. */
    boolean isPauseWanted() {
        return pauseWanted;
    }

    /**
     * The guest goes on unprotected, and its output passes. Said again as long as it is so, for a wish may have come and gone.
     *
     * @param backupInformed whether the backup has confirmed that it knows
     */
    void paused(final boolean backupInformed) {
        lock.lock();
        try {
            if (pauseWanted && !paused) {
                paused = true;
                backupKnows = backupInformed;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** A first checkpoint is safe on the backup. */
    void protectionReached() {
        reach(true);
    }

    /** The backup was lost. */
    void protectionLost() {
        reach(false);
    }

    private void reach(final boolean isReached) {
        lock.lock();
        try {
            reached = isReached;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The checkpoint thread is no more. The first word counts. */
    void ended(final String how) {
        lock.lock();
        try {
            if (end == null) {
                end = how;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }
}
