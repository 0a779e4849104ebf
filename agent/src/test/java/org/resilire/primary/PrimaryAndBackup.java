package org.resilire.primary;

import java.nio.file.Path;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.backup.TestBackup;
import org.resilire.control.AgentState;
import org.resilire.synthetic.TestTransport;
import org.resilire.transport.Endpoint;

/** What a test of both roles has: a primary and a backup of a small guest, over real Aeron and without QEMU. */
abstract class PrimaryAndBackup {

    static final int PAGES = 24;

    @TempDir
    Path directory;

    final Endpoint endpoint = TestTransport.freeEndpoint();
    TestBackup backup;
    TestPrimary primary;

    @BeforeEach
    final void make() {
        backup = newBackup("backup");
        primary = new TestPrimary(directory.resolve("primary"), PAGES, endpoint);
    }

    /** One that is not started yet. */
    final TestBackup newBackup(final String name) {
        return new TestBackup(directory.resolve(name), PAGES, endpoint);
    }

    @AfterEach
    final void close() {
        CloseHelper.closeAll(primary, backup);
    }

    /** Starts both and waits for some checkpoints. */
    final void protect() {
        backup.start();
        primary.start();
        primary.awaitState(AgentState.PROTECTED);
        primary.awaitCheckpoints(3);
    }
}
