package org.resilire.primary;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.NanoClock;
import org.resilire.guest.Guest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out what became of a guest that did not do as it was asked. Checkpoint thread only. */
final class GuestRecovery {

    private static final Logger LOG = LoggerFactory.getLogger(GuestRecovery.class);
    private static final long POLL_NANOS = 200_000L;
    private static final long EXIT_LIMIT_NANOS = 2_000_000_000L;

    private final Guest guest;
    private final NanoClock clock;

    GuestRecovery(final Guest guest, final NanoClock clock) {
        this.guest = guest;
        this.clock = clock;
    }

    /**
     * A QEMU that is killed closes its control socket a moment before its process has ended. To take it for alive then would
     * make the backup throw away the only copy of the guest.
     */
    boolean exitsSoon() {
        final long deadlineNanos = clock.nanoTime() + EXIT_LIMIT_NANOS;
        while (!guest.hasExited()) {
            if (clock.nanoTime() - deadlineNanos > 0) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }

    /**
     * As long as nobody knows whether the guest lives, the backup keeps what may be its only copy, and no output leaves.
     *
     * @return false if it does not
     */
    boolean await(final BooleanSupplier isStopping) {
        boolean told = false;
        while (!guest.recover()) {
            if (guest.hasExited()) {
                return false;
            }
            if (isStopping.getAsBoolean()) {
                return true;
            }
            if (!told) {
                LOG.error(
                        "the guest's process does not answer; waiting for it, while the backup keeps its last checkpoint");
                told = true;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }
}
