package org.resilire.guest.guard;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.resilire.guest.GuestException;
import org.resilire.guest.qemu.QmpCommand;
import org.resilire.guest.qemu.QmpConnection;
import org.resilire.guest.qemu.RunState;

/** Resumes a guest that a dead agent left paused. Tries until it succeeds or the time limit has passed. Not thread-safe. */
final class Resumption {

    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final QmpCommand CONT = QmpCommand.of("cont");

    private final Path qmpSocket;

    Resumption(final Path qmpSocket) {
        this.qmpSocket = qmpSocket;
    }

    /**
     * Resumes the guest if it is paused.
     *
     * @param deadline {@link System#nanoTime()} after which it must stay as it is
     * @return what was done, in words
     */
    String run(final long deadline) {
        String failure = "the limit had passed";
        while (deadline - System.nanoTime() > 0) {
            try (QmpConnection qmp = QmpConnection.open(qmpSocket, remaining(deadline))) {
                final RunState state = qmp.runState(remaining(deadline));
                if (state != RunState.PAUSED) {
                    return "the guest is " + state.qmpName() + ": left as it is";
                }
                if (deadline - System.nanoTime() <= 0) {
                    break;
                }
                qmp.call(CONT, remaining(deadline));
                return "resumed the guest";
            } catch (final GuestException e) {
                failure = e.getMessage();
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
        return "left the guest paused, the backup may have taken over: " + failure;
    }

    private static long remaining(final long deadline) {
        return Math.max(1, deadline - System.nanoTime());
    }
}
