package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Write protection and scans over real memory, of this process and of others, against a comparison of all of it. */
@Timeout(120)
class DirtyTrackingTest {
    private static final long PAGE = NativeMemory.PAGE_BYTES;
    private static final int PAGES = 2048;
    private static final long OWN_PID = ProcessHandle.current().pid();

    @TempDir
    Path directory;

    /** Write protection of files works on shared memory only. */
    private Path sharedMemory;

    @BeforeEach
    void needUserFaultFd() throws IOException {
        Requires.capability(Capability.CAP_SYS_PTRACE);
        assertTrue(PageMap.isPagemapScanSupported(), "this test needs Linux 6.7 for PAGEMAP_SCAN");
        sharedMemory = Files.createTempDirectory(Path.of("/dev/shm"), "resilire-test-");
    }

    @AfterEach
    void removeSharedMemory() throws IOException {
        for (String name : sharedMemory.toFile().list()) {
            Files.delete(sharedMemory.resolve(name));
        }
        Files.delete(sharedMemory);
    }

    @Test
    void shouldFindExactlyTheWrittenPagesOfThisProcess() {
        try (MappedFile file = MappedFile.create(sharedMemory.resolve("ram"), PAGES * PAGE);
                UserFaultFd faults = UserFaultFd.ofThisProcess();
                PageMap pageMap = PageMap.open(OWN_PID);
                RegionBuffer regions = new RegionBuffer(7)) {
            long start = file.segment().address();
            protect(faults, start);
            assertEquals(new BitSet(), scan(pageMap, start, regions));
            SplittableRandom random = new SplittableRandom(1);
            for (int round = 0; round < 50; round++) {
                BitSet written = new BitSet();
                for (int i = random.nextInt(200); i > 0; i--) {
                    int page = random.nextInt(PAGES);
                    written.set(page);
                    file.segment().set(JAVA_BYTE, page * PAGE + random.nextInt((int) PAGE), (byte) round);
                }
                assertEquals(written, scan(pageMap, start, regions), "round " + round);
            }
        }
    }

    @Test
    void shouldReportWithoutProtectingAgain() {
        try (MappedFile file = MappedFile.create(sharedMemory.resolve("ram"), PAGES * PAGE);
                UserFaultFd faults = UserFaultFd.ofThisProcess();
                PageMap pageMap = PageMap.open(OWN_PID);
                RegionBuffer regions = new RegionBuffer(4)) {
            long start = file.segment().address();
            protect(faults, start);
            file.segment().set(JAVA_BYTE, 3 * PAGE, (byte) 1);
            for (int i = 0; i < 2; i++) {
                assertEquals(1, pageMap.scanWritten(start, start + PAGES * PAGE, regions, false));
                assertEquals(start + 3 * PAGE, regions.start(0));
                assertEquals(start + 4 * PAGE, regions.end(0));
                assertEquals(start + PAGES * PAGE, pageMap.walkEnd());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotMissAPageThatAnotherProcessWrites(boolean privileged) throws IOException {
        Path ramPath = sharedMemory.resolve("ram");
        Path controlPath = sharedMemory.resolve("control");
        try (MappedFile ram = MappedFile.create(ramPath, PAGES * PAGE);
                MappedFile control = MappedFile.create(controlPath, MemoryWriter.CONTROL_BYTES)) {
            // Without that capability the target may create only the restricted kind of descriptor.
            String[] limits = privileged
                    ? new String[0]
                    : new String[] {"setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"};
            try (Target target =
                    Target.java(directory, limits, MemoryWriter.class, ramPath.toString(), controlPath.toString())) {
                awaitWrites(target, control.segment(), 100);
                try (UserFaultFd faults = UserFaultFd.injectInto(target.pid())) {
                    // Whatever else its runtime opens and closes meanwhile.
                    assertEquals(0, target.descriptorsOf("userfaultfd"), "descriptors left in the target");
                    assertTrue(faults.injectionNanos() > 0);
                    compareForAWhile(target, ram.segment(), control.segment(), faults, ramPath);
                }
                awaitWrites(target, control.segment(), 1000);
            }
        }
    }

    private static void compareForAWhile(
            Target target, MemorySegment ram, MemorySegment control, UserFaultFd faults, Path ramPath) {
        long start = addressOf(target, ramPath);
        try (Arena arena = Arena.ofShared();
                PageMap pageMap = PageMap.open(target.pid());
                RegionBuffer regions = new RegionBuffer(100)) {
            MemorySegment shadow = arena.allocate(PAGES * PAGE, PAGE);
            pause(target, control);
            protect(faults, start);
            shadow.copyFrom(ram);
            long pages = 0;
            for (int round = 0; round < 40; round++) {
                MemoryWriter.set(control, MemoryWriter.PAUSE_WISH, 0);
                awaitWrites(target, control, 300);
                BitSet reported = new BitSet();
                for (int i = 0; i < 5; i++) {
                    reported.or(scan(pageMap, start, regions));
                }
                pause(target, control);
                reported.or(scan(pageMap, start, regions));
                BitSet changed = changedPages(ram, shadow);
                assertEquals(changed, reported, "round " + round);
                shadow.copyFrom(ram);
                pages += changed.cardinality();
            }
            assertTrue(pages > 5_000, "only " + pages + " pages were written");
            MemoryWriter.set(control, MemoryWriter.PAUSE_WISH, 0);
        }
    }

    @Test
    void shouldDropTheRegistrationWhenItIsClosed() {
        try (MappedFile ram = MappedFile.create(sharedMemory.resolve("ram"), PAGES * PAGE);
                MappedFile control = MappedFile.create(sharedMemory.resolve("control"), MemoryWriter.CONTROL_BYTES);
                Target target = Target.java(
                        directory,
                        new String[0],
                        MemoryWriter.class,
                        ram.path().toString(),
                        control.path().toString());
                RegionBuffer regions = new RegionBuffer(100)) {
            awaitWrites(target, control.segment(), 1);
            long start = addressOf(target, ram.path());
            UserFaultFd first = UserFaultFd.injectInto(target.pid());
            protect(first, start);
            try (UserFaultFd second = UserFaultFd.injectInto(target.pid());
                    PageMap pageMap = PageMap.open(target.pid())) {
                second.enableAsyncWriteProtect();
                LinuxException busy =
                        assertThrows(LinuxException.class, () -> second.registerWriteProtect(start, PAGES * PAGE));
                assertEquals(Errno.EBUSY, busy.errno());
                assertTrue(busy.getMessage().contains("another userfaultfd"), busy.getMessage());
                scan(pageMap, start, regions);
                first.close();
                LinuxException gone = assertThrows(LinuxException.class, () -> scan(pageMap, start, regions));
                assertEquals(Errno.EPERM, gone.errno());
                second.registerWriteProtect(start, PAGES * PAGE);
                second.writeProtect(start, PAGES * PAGE);
            }
            awaitWrites(target, control.segment(), 1000);
        }
    }

    @Test
    void shouldNotAllocateInAScan() {
        try (MappedFile file = MappedFile.create(sharedMemory.resolve("ram"), PAGES * PAGE);
                UserFaultFd faults = UserFaultFd.ofThisProcess();
                PageMap pageMap = PageMap.open(OWN_PID);
                RegionBuffer regions = new RegionBuffer(16)) {
            long start = file.segment().address();
            protect(faults, start);
            Allocation.assertNone("scanWritten", () -> {
                file.segment().set(JAVA_BYTE, 5 * PAGE, (byte) 1);
                int found = pageMap.scanWritten(start, start + 16 * PAGE, regions, true);
                if (found != 1 || regions.start(0) != start + 5 * PAGE || pageMap.walkEnd() != start + 16 * PAGE) {
                    throw new AssertionError(found + " regions");
                }
            });
            Allocation.assertNone("scanSoftDirty", () -> pageMap.scanSoftDirty(start, start + 16 * PAGE, regions));
        }
    }

    @Test
    void shouldNameTheFeatureThatTheKernelLacks() {
        MissingKernelFeatureException missing =
                assertThrows(MissingKernelFeatureException.class, () -> UserFaultFd.requireFeatures(0x7fffL));
        assertEquals("UFFD_FEATURE_WP_ASYNC", missing.feature());
        UserFaultFd.requireFeatures(0xffffL);
    }

    @Test
    void shouldSayThatThereIsNoSuchProcess() {
        LinuxException failure = assertThrows(LinuxException.class, () -> UserFaultFd.injectInto(4_194_305));
        assertTrue(failure.getMessage().startsWith("pidfd_open of process 4194305 failed: E"), failure.getMessage());
    }

    @Test
    void shouldTellWhetherSoftDirtyIsThere() {
        // Whatever the kernel has, the scan and the probe must agree: a fresh page that was written.
        try (AnonymousMemory memory = AnonymousMemory.reserve("a probe", 16 * PAGE);
                PageMap pageMap = PageMap.open(OWN_PID);
                RegionBuffer regions = new RegionBuffer(4)) {
            memory.segment().fill((byte) 1);
            long start = memory.segment().address();
            int found = pageMap.scanSoftDirty(start, start + 16 * PAGE, regions);
            assertEquals(SoftDirty.isSupported() ? 1 : 0, found);
            assertEquals(start + 16 * PAGE, pageMap.walkEnd());
            SoftDirty.clear(OWN_PID);
        }
    }

    private static void protect(UserFaultFd faults, long start) {
        faults.enableAsyncWriteProtect();
        faults.registerWriteProtect(start, PAGES * PAGE);
        faults.writeProtect(start, PAGES * PAGE);
    }

    /** All written pages, with as many calls as the buffer needs. */
    private static BitSet scan(PageMap pageMap, long start, RegionBuffer regions) {
        BitSet pages = new BitSet();
        long end = start + PAGES * PAGE;
        for (long at = start; at < end; at = pageMap.walkEnd()) {
            int count = pageMap.scanWritten(at, end, regions, true);
            for (int i = 0; i < count; i++) {
                pages.set((int) ((regions.start(i) - start) / PAGE), (int) ((regions.end(i) - start) / PAGE));
            }
        }
        return pages;
    }

    private static BitSet changedPages(MemorySegment ram, MemorySegment shadow) {
        BitSet changed = new BitSet();
        for (int page = 0; page < PAGES; page++) {
            long at = page * PAGE;
            if (MemorySegment.mismatch(ram, at, at + PAGE, shadow, at, at + PAGE) >= 0) {
                changed.set(page);
            }
        }
        return changed;
    }

    private static long addressOf(Target target, Path file) {
        return MemoryMaps.of(target.pid()).stream()
                .filter(mapping -> mapping.path().equals(file.toString()) && mapping.isShared() && mapping.isWritable())
                .findFirst()
                .orElseThrow()
                .start();
    }

    private static void pause(Target target, MemorySegment control) {
        MemoryWriter.set(control, MemoryWriter.PAUSE_WISH, 1);
        Target.await(
                "the writer to pause: " + target.output(), () -> MemoryWriter.get(control, MemoryWriter.PAUSED) == 1);
    }

    private static void awaitWrites(Target target, MemorySegment control, long count) {
        long from = MemoryWriter.get(control, MemoryWriter.WRITES);
        Target.await(
                "the writer to write",
                () -> MemoryWriter.get(control, MemoryWriter.WRITES) >= from + count
                        || target.pidFd().hasExited());
        assertTrue(!target.pidFd().hasExited(), () -> "the writer has ended: " + target.output());
    }
}
