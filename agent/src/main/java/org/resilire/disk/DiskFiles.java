package org.resilire.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What agents keep about a disk in their state directory. The host that runs the guest keeps a bitmap, the other one a journal and an
 * identity; whoever begins to write to an image removes what the other role had to say about it.
 */
record DiskFiles(Path bitmap, Path journal, Path identity) {

    /** In no name of a guest or a disk, both of which may have dots: no two disks have the same files. */
    private static final String SEPARATOR = "@";

    static DiskFiles of(final Path stateDirectory, final String vmName, final String diskName) {
        final String base = vmName + SEPARATOR + diskName;
        return new DiskFiles(
                stateDirectory.resolve(base + ".bitmap"),
                stateDirectory.resolve(base + ".journal"),
                stateDirectory.resolve(base + ".replica"));
    }

    /** Of a trial of the replica; it exists for an instant only. */
    Path scratch() {
        return journal.resolveSibling(journal.getFileName() + ".trial");
    }

    /** The image is no copy of another disk from here on. */
    void becomePrimary() throws IOException {
        Files.deleteIfExists(identity);
        Files.deleteIfExists(journal);
    }

    /** The image changes from here on by what another host sends. */
    void becomeReplica() throws IOException {
        Files.deleteIfExists(bitmap);
        if (!Files.exists(journal)) {
            Files.createFile(journal);
        }
    }

    /** What stands in the journal is about another image, or about what this one was before somebody else changed it. */
    void clearJournal() throws IOException {
        Files.write(journal, new byte[0]);
    }
}
