package org.resilire.guest.tracking;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongFunction;
import org.resilire.guest.PageRuns;

/**
 * A walk whose parts are scanned side by side: the collecting thread takes them from the front, in order, and sleeping workers, woken
 * when a walk begins, from the back. A worker that gets no core in time costs nothing but its waking: the collecting thread does the
 * part itself. While the caller works on a full list of runs, workers scan on.
 */
final class SplitWalk implements PageWalk {

    /** Parts are not equally dirty, nor do workers wake at once: who is through with one takes another. */
    static final int PARTS_PER_THREAD = 4;

    /** More than a whole walk's, as what a worker finds waits until it is its turn. */
    private static final int REGIONS_PER_SCAN = 16_384;

    private final ScanPart[] parts;
    private final Thread[] workers;
    private volatile boolean isClosing;

    /** The part that is being handed on; -1 while no walk is under way. */
    private int current = -1;

    /** @param parts of a guest's RAM, ascending */
    SplitWalk(final List<RegionWalk> parts, final int threads, final ThreadFactory threadFactory) {
        this.parts = parts.stream().map(ScanPart::new).toArray(ScanPart[]::new);
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = threadFactory.newThread(this::work);
        }
        for (final Thread worker : workers) {
            worker.start();
        }
    }

    /** Opens a scanner for each part. */
    static SplitWalk over(final List<RamMapping> parts, final int threads, final LongFunction<RegionScanner> scanners) {
        final List<RegionWalk> walks = new ArrayList<>();
        try {
            for (final RamMapping part : parts) {
                walks.add(new RegionWalk(part, scanners.apply(part.pid()), REGIONS_PER_SCAN));
            }
            return new SplitWalk(
                    walks,
                    threads,
                    Thread.ofPlatform().daemon().name("scan-", 1).factory());
        } catch (final RuntimeException e) {
            walks.forEach(RegionWalk::close);
            throw e;
        }
    }

    private void work() {
        while (!isClosing) {
            if (!scanOne()) {
                LockSupport.park(this);
            }
        }
    }

    private boolean scanOne() {
        for (int i = parts.length - 1; i > 0; i--) {
            if (parts[i].take()) {
                parts[i].scan();
                return true;
            }
        }
        return false;
    }

    @Override
    public String description() {
        return ", " + (workers.length + 1) + " threads";
    }

    @Override
    public void restart() {
        for (final ScanPart part : parts) {
            part.restart();
        }
        current = -1;
    }

    @Override
    public boolean isUnderWay() {
        return current >= 0;
    }

    @Override
    public boolean walk(final PageRuns into) {
        if (current < 0) {
            begin();
        }
        while (current < parts.length) {
            if (!parts[current].handOn(into)) {
                return false;
            }
            current++;
        }
        current = -1;
        return true;
    }

    private void begin() {
        current = 0;
        for (int i = 1; i < parts.length; i++) {
            parts[i].offer();
        }
        for (final Thread worker : workers) {
            LockSupport.unpark(worker);
        }
    }

    /** Waits for the workers: the kernel writes into memory that is freed here. */
    @Override
    public void close() {
        isClosing = true;
        boolean isInterrupted = false;
        for (final Thread worker : workers) {
            LockSupport.unpark(worker);
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (final InterruptedException e) {
                    isInterrupted = true;
                }
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
        for (final ScanPart part : parts) {
            part.close();
        }
    }
}
