package org.resilire.testbed.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskCheckTest {

    private static final long LENGTH_BYTES = 8L << 20;

    @TempDir
    private Path directory;

    private Path image;

    @BeforeEach
    void makeFileSystem() {
        image = directory.resolve("disk.img");
        LabDisk.createEmpty(image, LENGTH_BYTES);
        Commands.run("mke2fs", "-q", "-F", "-t", "ext4", image.toString());
    }

    private void edit(final String request) {
        Commands.run("debugfs", "-w", "-R", request, image.toString());
    }

    @Test
    void shouldTakeADeletedFileThatWasStillOpenForWhatAMountWouldRemove() {
        edit("write /etc/passwd open");
        edit("unlink open");
        edit("set_inode_field <12> links_count 0");
        edit("set_super_value last_orphan 12");
        assertEquals(Optional.empty(), DiskCheck.complaint(image));
    }

    /** {@code e2fsck -p} would correct that, and find all in order afterwards. */
    @Test
    void shouldComplainOfADirectoryThatIsGone() {
        edit("clri <11>");
        assertTrue(DiskCheck.complaint(image).orElse("").contains("lost+found"));
    }
}
