package org.resilire.guest.qemu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.resilire.guest.AttachException;
import org.resilire.guest.AttachProblem;
import org.resilire.guest.GuestException;

/** The file that a standby's QEMU makes for its RAM. */
public final class ReplicaFile {

    private ReplicaFile() {}

    /**
     * Removes what an ended standby left; a replica is worthless once its agent is gone.
     *
     * @throws GuestException if some process maps it: then it may be a guest's memory
     */
    public static void removeLeftover(final Path ramFile) {
        if (!Files.exists(ramFile)) {
            return;
        }
        try {
            final long pid = RamFileOwner.find(ramFile).pid();
            throw new GuestException(
                    "process " + pid + " uses " + ramFile
                            + ": another standby, or a guest that was taken over; end it first, or give another file with --ram");
        } catch (final AttachException e) {
            if (e.problem() != AttachProblem.RAM_NOT_MAPPED) {
                throw new GuestException(ramFile + " is in use: " + e.getMessage(), e);
            }
        }
        try {
            Files.delete(ramFile);
        } catch (final IOException e) {
            throw new UncheckedIOException("cannot remove the stale replica " + ramFile + ": " + e.getMessage(), e);
        }
    }

    /** True unless it is certain that no process but this one uses the file. */
    public static boolean isMapped(final Path ramFile) {
        try {
            RamFileOwner.find(ramFile);
            return true;
        } catch (final AttachException e) {
            return e.problem() != AttachProblem.RAM_NOT_MAPPED && e.problem() != AttachProblem.RAM_FILE_MISSING;
        }
    }

    /** Checks that the standby's QEMU made it. */
    public static void requirePresent(final Path ramFile) {
        if (!Files.exists(ramFile)) {
            throw new GuestException("the standby's QEMU did not make " + ramFile
                    + ": --ram must be the mem-path of -object memory-backend-file in --qemu");
        }
    }
}
