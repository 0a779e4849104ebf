package org.resilire.guest.tracking;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.PageRuns;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.linux.MappedFile;
import org.resilire.linux.RegionBuffer;
import org.resilire.linux.UserFaultFd;

/** Split walks over memory of this process, with the kernel's own tracking; the oracle is what was written. */
@Timeout(180)
class SplitWalkTest {

    private static final int PAGES = 16 << 8;
    private static final int PAGES_OF_A_TABLE = 512;
    private static final int ROUNDS = 200;
    private static final long OWN_PID = ProcessHandle.current().pid();
    private static final long WAIT_SECONDS = 60;
    private static final int WALKS = 2_000;

    /** For what the runtime itself does now and then on a thread, as compiled code is replaced. */
    private static final long TOLERATED_BYTES = 16 << 10;

    private final List<Thread> workers = Collections.synchronizedList(new ArrayList<>());
    private MappedFile file;
    private UserFaultFd userFaultFd;
    private RamMapping ram;

    @BeforeEach
    void track() throws IOException {
        final Path path = Files.createTempFile(Path.of("/dev/shm"), "resilire-test-", ".ram");
        Files.delete(path);
        file = MappedFile.create(path, (long) PAGES * GuestMemory.PAGE_BYTES);
        ram = RamMappings.of(OWN_PID, path);
        Files.delete(path);
        userFaultFd = UserFaultFd.ofThisProcess();
        userFaultFd.enableAsyncWriteProtect();
        for (int i = 0; i < ram.size(); i++) {
            userFaultFd.registerWriteProtect(ram.start(i), ram.lengthBytes(i));
            userFaultFd.writeProtect(ram.start(i), ram.lengthBytes(i));
        }
    }

    @AfterEach
    void release() {
        userFaultFd.close();
        file.close();
    }

    private void write(final BitSet pages) {
        for (int page = pages.nextSetBit(0); page >= 0; page = pages.nextSetBit(page + 1)) {
            file.segment().set(JAVA_LONG, (long) page * GuestMemory.PAGE_BYTES, page);
        }
    }

    private SplitWalk split(final int parts, final int threads, final int regionsPerScan) {
        final List<RegionWalk> walks = ram.split(parts).stream()
                .map(part -> new RegionWalk(part, WrittenScanner.open(part.pid()), regionsPerScan))
                .toList();
        return new SplitWalk(walks, threads, this::newWorker);
    }

    private Thread newWorker(final Runnable work) {
        final Thread worker = Thread.ofPlatform().daemon().unstarted(work);
        workers.add(worker);
        return worker;
    }

    /** Runs as they were handed on. */
    private record Run(long firstPage, long pageCount) {}

    private static List<Run> collect(final PageWalk walk, final PageRuns into) {
        final List<Run> found = new ArrayList<>();
        boolean isComplete;
        do {
            into.clear();
            isComplete = walk.walk(into);
            for (int i = 0; i < into.size(); i++) {
                found.add(new Run(into.firstPage(i), into.pageCount(i)));
            }
        } while (!isComplete);
        return found;
    }

    private static BitSet pages(final List<Run> runs) {
        final BitSet pages = new BitSet();
        long lastEnd = 0;
        for (final Run run : runs) {
            assertTrue(run.firstPage() >= lastEnd, () -> "not ascending: " + runs);
            lastEnd = run.firstPage() + run.pageCount();
            pages.set((int) run.firstPage(), (int) lastEnd);
        }
        return pages;
    }

    /** Some runs, some of them across boundaries of parts. */
    private static BitSet somePages(final SplittableRandom random) {
        final BitSet pages = new BitSet();
        for (int i = random.nextInt(60); i > 0; i--) {
            final int first = random.nextInt(PAGES);
            pages.set(first, Math.min(PAGES, first + 1 + random.nextInt(random.nextInt(1, 100))));
        }
        for (int boundary = PAGES_OF_A_TABLE; boundary < PAGES; boundary += PAGES_OF_A_TABLE) {
            if (random.nextBoolean()) {
                pages.set(boundary - random.nextInt(1, 20), boundary + random.nextInt(1, 20));
            }
        }
        return pages;
    }

    // ---------------------------------------------------------------- what is found

    @ParameterizedTest
    @CsvSource({"2, 2, 8192", "8, 2, 8192", "8, 4, 8192", "8, 3, 5", "3, 2, 1"})
    void shouldFindTheSameRunsAsOneThread(final int parts, final int threads, final int regionsPerScan) {
        final SplittableRandom random = new SplittableRandom(parts);
        final PageRuns into = new PageRuns(PAGES);
        try (SplitWalk split = split(parts, threads, regionsPerScan);
                RegionWalk whole = new RegionWalk(ram, WrittenScanner.open(OWN_PID), PAGES)) {
            for (int round = 0; round < ROUNDS; round++) {
                final BitSet written = somePages(random);
                write(written);
                final List<Run> found = collect(split, into);
                write(written);
                assertEquals(collect(whole, into), found, "round " + round);
                assertEquals(written, pages(found), "round " + round);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"8, 2, 4, 1", "8, 3, 2, 3", "4, 2, 100, 7"})
    void shouldLoseNothingThatDoesNotFitIntoTheCallersList(
            final int parts, final int threads, final int regionsPerScan, final int capacity) {
        final SplittableRandom random = new SplittableRandom(capacity);
        final PageRuns into = new PageRuns(capacity);
        try (SplitWalk split = split(parts, threads, regionsPerScan)) {
            for (int round = 0; round < ROUNDS; round++) {
                final BitSet written = somePages(random);
                write(written);
                assertEquals(written, pages(collect(split, into)), "round " + round);
                assertFalse(split.isUnderWay());
            }
        }
    }

    @Test
    void shouldForgetAWalkThatIsGivenUp() {
        final PageRuns into = new PageRuns(1);
        final SplittableRandom random = new SplittableRandom(9);
        try (SplitWalk split = split(8, 2, 3)) {
            for (int round = 0; round < ROUNDS; round++) {
                final BitSet forgotten = somePages(random);
                forgotten.set(1);
                forgotten.set(PAGES - 1);
                write(forgotten);
                into.clear();
                assertFalse(split.walk(into));
                assertTrue(split.isUnderWay());
                split.restart();
                userFaultFd.writeProtect(ram.start(0), ram.lengthBytes(0));
                final BitSet written = somePages(random);
                write(written);
                assertEquals(written, pages(collect(split, into)), "round " + round);
            }
        }
    }

    // ---------------------------------------------------------------- parts

    @Test
    void shouldCoverEveryPageOnceByPartsThatShareNoPageTable() {
        for (int count = 1; count <= 12; count++) {
            final List<RamMapping> parts = ram.split(count);
            long page = 0;
            for (final RamMapping part : parts) {
                for (int i = 0; i < part.size(); i++) {
                    assertTrue(part.lengthBytes(i) > 0);
                    assertEquals(page, part.pageAt(i, part.start(i)));
                    page += part.lengthBytes(i) / GuestMemory.PAGE_BYTES;
                    assertTrue(page == PAGES || part.end(i) % (2 << 20) == 0, "ends at " + part.end(i));
                }
            }
            assertEquals(PAGES, page);
            assertTrue(parts.size() <= count);
        }
    }

    // ---------------------------------------------------------------- failures and the end

    /** Of a part whose first scan fails; the collecting thread's own first scan waits until it has. */
    private record Failing(RegionScanner scanner, Throwable failure, CountDownLatch failed) implements RegionScanner {
        @Override
        public int scan(final long start, final long end, final RegionBuffer into) {
            if (failed.getCount() == 1) {
                failed.countDown();
                throw sneaky(failure);
            }
            return scanner.scan(start, end, into);
        }

        private static RuntimeException sneaky(final Throwable failure) {
            if (failure instanceof final Error error) {
                throw error;
            }
            return (RuntimeException) failure;
        }

        @Override
        public long walkEnd() {
            return scanner.walkEnd();
        }

        @Override
        public void close() {
            scanner.close();
        }
    }

    private record Waiting(RegionScanner scanner, CountDownLatch awaited) implements RegionScanner {
        @Override
        public int scan(final long start, final long end, final RegionBuffer into) {
            try {
                assertTrue(awaited.await(WAIT_SECONDS, TimeUnit.SECONDS), "no worker has scanned");
            } catch (final InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return scanner.scan(start, end, into);
        }

        @Override
        public long walkEnd() {
            return scanner.walkEnd();
        }

        @Override
        public void close() {
            scanner.close();
        }
    }

    private SplitWalk failing(final Throwable failure) {
        final CountDownLatch failed = new CountDownLatch(1);
        final List<RamMapping> parts = ram.split(2);
        return new SplitWalk(
                List.of(
                        new RegionWalk(parts.get(0), new Waiting(WrittenScanner.open(OWN_PID), failed)),
                        new RegionWalk(parts.get(1), new Failing(WrittenScanner.open(OWN_PID), failure, failed))),
                2,
                this::newWorker);
    }

    @Test
    void shouldThrowWhatAWorkersScanThrewAndScanThatPartTheNextTime() {
        final LinuxException gone =
                new LinuxException("PAGEMAP_SCAN", "the pagemap", Errno.ESRCH, "the process has ended");
        final PageRuns into = new PageRuns(PAGES);
        final BitSet written = somePages(new SplittableRandom(4));
        written.set(0);
        try (SplitWalk split = failing(gone)) {
            write(written);
            final List<Run> found = new ArrayList<>();
            assertSame(gone, assertThrows(LinuxException.class, () -> found.addAll(collect(split, into))));
            for (int i = 0; i < into.size(); i++) {
                found.add(new Run(into.firstPage(i), into.pageCount(i)));
            }
            found.addAll(collect(split, into));
            assertEquals(written, pages(found));
            write(written);
            assertEquals(written, pages(collect(split, into)), "the worker scans on");
        }
    }

    @Test
    void shouldThrowErrorsOfAWorker() {
        final PageRuns into = new PageRuns(PAGES);
        try (SplitWalk split = failing(new StackOverflowError("of a worker"))) {
            final Error error = assertThrows(StackOverflowError.class, () -> collect(split, into));
            assertEquals("of a worker", error.getMessage());
        }
    }

    @Test
    void shouldSayAsOneThreadDoesThatTheMemoryIsNotTrackedAnyMore() {
        try (SplitWalk split = split(8, 2, 100)) {
            userFaultFd.close();
            final RuntimeException e = assertThrows(RuntimeException.class, () -> collect(split, new PageRuns(PAGES)));
            assertEquals(Errno.EPERM, assertInstanceOf(LinuxException.class, e).errno());
        }
    }

    @Test
    void shouldEndItsThreadsAndCloseItsPageMaps() throws IOException {
        final long before = pageMapsOpen();
        final SplitWalk split = split(8, 4, 100);
        assertEquals(before + 8, pageMapsOpen());
        assertEquals(3, workers.size());
        collect(split, new PageRuns(PAGES));
        split.close();
        assertEquals(before, pageMapsOpen());
        workers.forEach(worker -> assertFalse(worker.isAlive()));
        split.close();
    }

    private static long pageMapsOpen() throws IOException {
        try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(SplitWalkTest::isPageMap).count();
        }
    }

    private static boolean isPageMap(final Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).endsWith("pagemap");
        } catch (final IOException closedMeanwhile) {
            return false;
        }
    }

    // ---------------------------------------------------------------- garbage

    @Test
    void shouldAllocateNothingOnAnyThread() {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        final PageRuns into = new PageRuns(PAGES);
        try (SplitWalk split = split(4, 2, 8192)) {
            final long[] ids = {
                Thread.currentThread().threadId(), workers.getFirst().threadId()
            };
            // The compiler may take long to get to it where others use the processors too.
            final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
            long allocated;
            do {
                final long before = sum(threads.getThreadAllocatedBytes(ids));
                walk(split, into, WALKS);
                allocated = sum(threads.getThreadAllocatedBytes(ids)) - before;
            } while (allocated > TOLERATED_BYTES && System.nanoTime() - deadline < 0);
            assertTrue(allocated <= TOLERATED_BYTES, allocated + " bytes in " + WALKS + " walks");
        }
    }

    private static long sum(final long[] values) {
        return Arrays.stream(values).sum();
    }

    private void walk(final SplitWalk split, final PageRuns into, final int count) {
        for (int i = 0; i < count; i++) {
            for (int page = 7; page < PAGES; page += PAGES_OF_A_TABLE) {
                file.segment().set(JAVA_LONG, (long) page * GuestMemory.PAGE_BYTES, i);
            }
            boolean isComplete;
            long pages = 0;
            do {
                into.clear();
                isComplete = split.walk(into);
                pages += into.totalPages();
            } while (!isComplete);
            if (pages != PAGES / PAGES_OF_A_TABLE) {
                throw new AssertionError(pages + " pages");
            }
        }
    }
}
