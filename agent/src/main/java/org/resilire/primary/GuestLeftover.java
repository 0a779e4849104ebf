package org.resilire.primary;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.resilire.disk.PrimaryDisk;
import org.resilire.guest.qemu.QemuGuest;
import org.resilire.linux.LinuxException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is left here of a guest that was moved away: a QEMU that stands still, and disks. */
final class GuestLeftover {

    private static final Logger LOG = LoggerFactory.getLogger(GuestLeftover.class);
    private static final long END_NANOS = TimeUnit.SECONDS.toNanos(10);

    private GuestLeftover() {}

    /**
     * Ends that QEMU, and notes that its disks are copies of the guest's from then on.
     *
     * @param generation of the guest where it runs
     */
    static void end(final QemuGuest guest, final List<PrimaryDisk> disks, final long generation) {
        LOG.info("ending the QEMU that is left here (process {})", guest.pid());
        // It runs elsewhere, so there is nothing here to be saved.
        if (guest.end(END_NANOS)) {
            leave(disks, generation);
        } else {
            LOG.warn("process {} does not end", guest.pid());
        }
    }

    /** What is not noted is found out when a standby here gets a session: everything is compared then. */
    private static void leave(final List<PrimaryDisk> disks, final long generation) {
        for (final PrimaryDisk disk : disks) {
            try {
                disk.leave(generation);
            } catch (final IOException | LinuxException e) {
                LOG.warn("disk {} will be compared with the guest's as a whole: {}", disk.name(), e.getMessage());
            }
        }
    }
}
