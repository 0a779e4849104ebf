package org.resilire.testbed.lab;

import java.nio.file.Path;
import java.util.Optional;

/** Looks at the file system on a copy of a guest's disk, as one would after a power failure. */
public final class DiskCheck {

    /** Bits of e2fsck's exit status: problems were corrected, of which replaying the journal is one. */
    private static final int CORRECTED = 1;

    private DiskCheck() {}

    /**
     * Lets e2fsck do what a mount would: replay the journal, and remove what was deleted while it was open. Then everything must be in
     * order, and nothing is corrected.
     *
     * @return what is wrong; empty if nothing is
     */
    public static Optional<String> complaint(final Path copy) {
        final Commands.Outcome replayed = Commands.outcome("e2fsck", "-y", "-E", "journal_only", copy.toString());
        if (replayed.exitStatus() > CORRECTED) {
            return Optional.of("the file system's journal cannot be replayed: " + replayed.output());
        }
        final Commands.Outcome checked = Commands.outcome("e2fsck", "-fn", copy.toString());
        return checked.exitStatus() == 0
                ? Optional.empty()
                : Optional.of("the file system is not clean: " + checked.output());
    }

    /** Copies all files of it into a directory that exists. */
    static void extract(final Path copy, final Path into) {
        Commands.run("debugfs", "-R", "rdump / " + into, copy.toString());
    }
}
