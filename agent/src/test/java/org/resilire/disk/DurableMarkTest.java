package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;

class DurableMarkTest {

    private final DurableMark mark = new DurableMark(Path.of("image"), this::sync);
    private int syncs;
    private Runnable during = () -> {};

    private void sync() {
        syncs++;
        during.run();
    }

    @Test
    void shouldSyncOnceForTheSameChanges() {
        mark.flush();
        mark.flush();
        assertEquals(1, syncs);
        mark.changed();
        mark.flush();
        assertEquals(2, syncs);
    }

    @Test
    void shouldTellWhileTheStorageIsWaitedForAndNotAfterItFailed() {
        final List<Boolean> meanwhile = new ArrayList<>();
        during = () -> meanwhile.add(mark.isSyncing());
        mark.flush();
        assertFalse(mark.isSyncing());
        mark.changed();
        during = () -> {
            meanwhile.add(mark.isSyncing());
            throw new LinuxException("fdatasync", "image", Errno.EIO);
        };
        assertThrows(LinuxException.class, mark::flush);
        assertFalse(mark.isSyncing());
        assertEquals(List.of(true, true), meanwhile);
    }

    @Test
    void shouldNotCountAChangeDuringASyncAsDurable() {
        during = mark::changed;
        mark.flush();
        during = () -> {};
        assertTrue(mark.needsFlush());
        mark.flush();
        assertEquals(2, syncs);
    }

    @Test
    void shouldFailEveryFlushAfterOneFailed() {
        during = () -> {
            throw new LinuxException("fdatasync", "image", Errno.EIO);
        };
        assertThrows(LinuxException.class, mark::flush);
        during = () -> {};
        mark.beginDeferring();
        final String message = assertThrows(LinuxException.class, mark::flush).getMessage();
        assertTrue(message.contains("an earlier flush failed (EIO), so written data may be lost"), message);
        assertEquals(1, syncs, "the kernel would say that all is well");
    }

    @Test
    void shouldOweWhatWasDeferredAndNothingElse() {
        mark.changed();
        mark.beginDeferring();
        mark.flush();
        mark.flush();
        assertEquals(0, syncs);
        mark.endDeferring();
        mark.settle();
        mark.settle();
        assertEquals(1, syncs);
        mark.changed();
        mark.settle();
        assertEquals(1, syncs, "nobody has asked");
    }

    /** Or output would leave that depends on what is not there yet. */
    @Test
    void shouldOweUntilTheSyncIsOver() {
        mark.changed();
        mark.beginDeferring();
        mark.flush();
        mark.endDeferring();
        final boolean[] isOwedMeanwhile = new boolean[1];
        during = () -> isOwedMeanwhile[0] = mark.isOwed();
        mark.settle();
        assertTrue(isOwedMeanwhile[0]);
        assertFalse(mark.isOwed());
        during = () -> {
            throw new LinuxException("fdatasync", "image", Errno.EIO);
        };
        mark.changed();
        mark.beginDeferring();
        mark.flush();
        mark.endDeferring();
        assertThrows(LinuxException.class, mark::settle);
        assertFalse(mark.isOwed(), "every later flush fails, and nobody waits for this one");
    }
}
