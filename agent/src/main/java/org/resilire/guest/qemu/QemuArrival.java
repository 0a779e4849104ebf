package org.resilire.guest.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Whether a QEMU that is to start after its agent, which serves its disks, has done so. */
public final class QemuArrival {

    private static final long GREETING_NANOS = TimeUnit.SECONDS.toNanos(5);

    private QemuArrival() {}

    /**
     * Looks at its QMP socket. Whatever is wrong there beyond its not being ready yet is left to {@link QemuGuest#attach}, which
     * says so.
     *
     * @return false while nothing listens, or while QEMU has not begun to run its guest
     */
    public static boolean hasCome(final Path qmpSocket) {
        if (!Files.exists(qmpSocket)) {
            return false;
        }
        try (QmpConnection qmp = QmpConnection.open(qmpSocket, GREETING_NANOS)) {
            return switch (qmp.runState(GREETING_NANOS)) {
                case PRELAUNCH, INMIGRATE -> false;
                default -> true;
            };
        } catch (final QmpException e) {
            return switch (e.failure()) {
                case NO_SOCKET, TIMED_OUT, CLOSED -> false;
                case BUSY, PROTOCOL, REFUSED -> true;
            };
        }
    }
}
