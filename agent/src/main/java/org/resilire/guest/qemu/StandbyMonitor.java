package org.resilire.guest.qemu;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.resilire.guest.GuestException;
import org.resilire.linux.LinuxException;
import org.resilire.linux.UnixStreamSocket;

/**
 * What is said to a standby while a guest stands still: here is the device state, go on, tell where you are. Over a QMP session and the
 * socket at which QEMU waits for the state.
 *
 * <p>Its methods throw {@link QmpException} or {@link LinuxException} if QEMU is gone or does not do as asked. Not thread-safe.
 */
final class StandbyMonitor implements AutoCloseable {

    private static final long LOAD_STEP_NANOS = TimeUnit.MICROSECONDS.toNanos(200);

    private static final QmpCommand CONT = QmpCommand.of("cont");

    /** Rounds 10, 60, 110, … ms apart: gratuitous ARPs may be lost, and switches learn from the first that comes through. */
    private static final QmpCommand ANNOUNCE =
            QmpCommand.of("announce-self", "initial", 10, "max", 200, "rounds", 5, "step", 50);

    private final QmpConnection qmp;
    private final Path incomingSocket;
    private final long loadTimeoutNanos;
    private final long commandTimeoutNanos;
    private final Supplier<String> lastWords;

    /**
     * Talks over a session, which it owns from here on.
     *
     * @param lastWords what QEMU wrote last, as the end of a message
     */
    StandbyMonitor(
            final QmpConnection qmp,
            final Path incomingSocket,
            final long loadTimeoutNanos,
            final long commandTimeoutNanos,
            final Supplier<String> lastWords) {
        this.qmp = qmp;
        this.incomingSocket = incomingSocket;
        this.loadTimeoutNanos = loadTimeoutNanos;
        this.commandTimeoutNanos = commandTimeoutNanos;
        this.lastWords = lastWords;
    }

    QmpConnection qmp() {
        return qmp;
    }

    /**
     * Gives QEMU the device state, and returns when it is paused with that.
     *
     * @param state holds the state from offset 0
     */
    void load(final MemorySegment state, final int lengthBytes) {
        final long deadlineNanos = System.nanoTime() + loadTimeoutNanos;
        try (UnixStreamSocket incoming = UnixStreamSocket.connect(incomingSocket)) {
            incoming.writeFully(state, 0, lengthBytes, loadTimeoutNanos);
        }
        awaitPaused(deadlineNanos);
    }

    private void awaitPaused(final long deadlineNanos) {
        while (true) {
            final RunState runState = qmp.runState(loadTimeoutNanos);
            if (runState == RunState.PAUSED) {
                return;
            }
            if (runState != RunState.INMIGRATE) {
                throw new GuestException("the standby went to state '" + runState.qmpName()
                        + "' instead of taking the device state" + lastWords.get());
            }
            if (System.nanoTime() - deadlineNanos >= 0) {
                throw new GuestException("the standby did not take the device state within "
                        + TimeUnit.NANOSECONDS.toMillis(loadTimeoutNanos) + " ms" + lastWords.get());
            }
            LockSupport.parkNanos(LOAD_STEP_NANOS);
        }
    }

    /** Lets the guest run. */
    void resume() {
        qmp.call(CONT, commandTimeoutNanos);
    }

    /** Makes the guest's network devices tell switches and neighbours where they are now; returns at once. */
    void announce() {
        qmp.call(ANNOUNCE, commandTimeoutNanos);
    }

    RunState runState() {
        return qmp.runState(commandTimeoutNanos);
    }

    @Override
    public void close() {
        qmp.close();
    }
}
