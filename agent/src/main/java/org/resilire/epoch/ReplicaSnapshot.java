package org.resilire.epoch;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.agrona.concurrent.NanoClock;
import org.resilire.guest.GuestMemory;

/**
 * A copy of a replica as it is at one epoch, made while later epochs are applied to it: a page is copied before a record changes it
 * for the first time, all others a slice at a time in between. What that costs a commit is bounded: a copy of 4 KiB for each page that
 * it changes, at most once each, and one slice if it arrives during one.
 *
 * <p>Pages of zeros are left out, so that the file is sparse; neighbours are written together. Used by the thread that applies epochs.
 */
public final class ReplicaSnapshot {

    private static final int PAGE_BYTES = GuestMemory.PAGE_BYTES;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[PAGE_BYTES]);

    /** Pages between two looks at the clock, and in a write at most. */
    private static final int PAGES_AT_A_TIME = 8;

    private final GuestMemory memory;
    private final MemorySegment replica;
    private final long pageCount;
    private final FileChannel file;
    private final long[] copied;
    private final ByteBuffer gathered = ByteBuffer.allocateDirect(PAGES_AT_A_TIME * PAGE_BYTES);
    private final MemorySegment gatheredSegment = MemorySegment.ofBuffer(gathered);

    /** So many pages, from this one on, stand in the buffer as they were and are to be written. */
    private int gatheredPages;

    private long firstGathered;

    /** All before it is in the copy, or left out of it for good. */
    private long next;

    /** As it was found at an earlier page: a page that gets memory meanwhile is about to change, and is kept before it does. */
    private long endOfPopulated;

    private long writtenPages;
    private long writtenEarly;
    private long writes;
    private String failure;

    /**
     * A copy that has not begun.
     *
     * @param file empty, as long as the replica
     */
    public ReplicaSnapshot(final GuestMemory replica, final FileChannel file) {
        this.memory = replica;
        this.replica = replica.segment();
        this.pageCount = replica.pageCount();
        this.file = file;
        this.copied = new long[(int) ((pageCount + Long.SIZE - 1) / Long.SIZE)];
    }

    /** The page is about to change. */
    public void beforeChange(final long pageIndex) {
        if (failure == null && !isCopied(pageIndex)) {
            gather(pageIndex);
            writtenEarly++;
        }
    }

    /**
     * Copies on.
     *
     * @param deadlineNanos in the clock's time; the slice ends a few microseconds after it
     * @return true once there is nothing left to do, also after a failure
     */
    public boolean copySlice(final NanoClock clock, final long deadlineNanos) {
        do {
            skipUnpopulated();
            final long end = Math.min(endOfPopulated, next + PAGES_AT_A_TIME);
            for (; next < end && failure == null; next++) {
                if (!isCopied(next)) {
                    gather(next);
                }
            }
            writeGathered();
        } while (next < pageCount && failure == null && clock.nanoTime() - deadlineNanos < 0);
        return next == pageCount || failure != null;
    }

    /** These are zeros in the replica, and so in the copy: to read them would give them memory. */
    private void skipUnpopulated() {
        if (next >= endOfPopulated) {
            next = memory.nextPopulatedPage(next);
            endOfPopulated = next == pageCount ? pageCount : memory.nextUnpopulatedPage(next);
        }
    }

    private boolean isCopied(final long pageIndex) {
        return pageIndex < next || (copied[(int) (pageIndex >>> 6)] & (1L << pageIndex)) != 0;
    }

    /** Keeps the page as it is now; it is written with its neighbours, at the latest at the end of the next slice. */
    private void gather(final long pageIndex) {
        copied[(int) (pageIndex >>> 6)] |= 1L << pageIndex;
        final long at = pageIndex * PAGE_BYTES;
        if (MemorySegment.mismatch(replica, at, at + PAGE_BYTES, ZEROS, 0, PAGE_BYTES) < 0) {
            return;
        }
        if (pageIndex != firstGathered + gatheredPages || gatheredPages == PAGES_AT_A_TIME) {
            writeGathered();
            firstGathered = pageIndex;
        }
        MemorySegment.copy(replica, at, gatheredSegment, (long) gatheredPages * PAGE_BYTES, PAGE_BYTES);
        gatheredPages++;
    }

    private void writeGathered() {
        if (gatheredPages == 0 || failure != null) {
            return;
        }
        gathered.clear().limit(gatheredPages * PAGE_BYTES);
        try {
            long to = firstGathered * PAGE_BYTES;
            while (gathered.hasRemaining()) {
                to += file.write(gathered, to);
                writes++;
            }
            writtenPages += gatheredPages;
        } catch (final IOException e) {
            failure = "the copy cannot be written: " + e.getMessage();
        }
        gatheredPages = 0;
    }

    /** Gives up: nothing more is written. The first reason counts. */
    public void abort(final String why) {
        if (failure == null) {
            failure = why;
        }
    }

    /** Why the copy is useless; null if it is not. */
    public String failure() {
        return failure;
    }

    /** Pages that are in the file; the others are zeros. */
    public long writtenPages() {
        return writtenPages;
    }

    /** Of these, how many were copied because an epoch was about to change them. */
    public long writtenEarly() {
        return writtenEarly;
    }

    /** How often the file was written to. */
    long writes() {
        return writes;
    }
}
