package org.resilire.disk;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;

/**
 * A file with a volatile cache: what was not synced may be lost, sector by sector, when the power goes. The world can be told to end at
 * a certain call, common to several storages.
 */
final class FlakyStorage implements Storage {

    private static final int SECTOR_BYTES = 512;

    private final World world;
    private final List<long[]> unsynced = new ArrayList<>();
    private byte[] durable;
    private byte[] cached;

    /** There is no room for anything. */
    boolean isFull;

    FlakyStorage(final World world, final byte[] content) {
        this.world = world;
        durable = content.clone();
        cached = content.clone();
    }

    /** Counts calls that change something, and ends at one of them. */
    static final class World {
        private long callsLeft = Long.MAX_VALUE;
        private long calls;
        private int cutSixteenths;

        /** The call at which it ends, if a write, still writes this part of its bytes. */
        void endAfter(final long number, final int sixteenths) {
            callsLeft = number;
            cutSixteenths = sixteenths;
        }

        long calls() {
            return calls;
        }

        boolean ends() {
            calls++;
            return callsLeft-- <= 0;
        }
    }

    /** The world has ended; not to be caught by what is tested. */
    static final class EndOfWorld extends Error {
        private static final long serialVersionUID = 1L;
    }

    byte[] content() {
        return cached.clone();
    }

    /** The process was killed: the kernel still has everything. */
    FlakyStorage afterKill(final World next) {
        return new FlakyStorage(next, cached);
    }

    /** The power went: of each sector not synced, the old or the new content is there. */
    FlakyStorage afterPowerLoss(final World next, final Random random) {
        final byte[] left = Arrays.copyOf(durable, Math.max(durable.length, cached.length));
        for (final long[] range : unsynced) {
            final long last = (range[0] + range[1] - 1) / SECTOR_BYTES;
            for (long sector = range[0] / SECTOR_BYTES; sector <= last; sector++) {
                final int at = (int) sector * SECTOR_BYTES;
                if (random.nextBoolean()) {
                    System.arraycopy(cached, at, left, at, Math.min(SECTOR_BYTES, cached.length - at));
                }
            }
        }
        return new FlakyStorage(next, left);
    }

    @Override
    public long lengthBytes() {
        return cached.length;
    }

    @Override
    public void read(final MemorySegment into, final long intoOffset, final long countBytes, final long offset) {
        MemorySegment.copy(MemorySegment.ofArray(cached), offset, into, intoOffset, countBytes);
    }

    @Override
    public void write(final MemorySegment from, final long fromOffset, final long countBytes, final long offset) {
        if (isFull) {
            throw new LinuxException("write", "a full disk", Errno.ENOSPC);
        }
        final boolean ends = world.ends();
        // The last write may be cut off anywhere.
        final long writtenBytes = ends ? countBytes * world.cutSixteenths / 16 : countBytes;
        grow(offset + writtenBytes);
        MemorySegment.copy(from, fromOffset, MemorySegment.ofArray(cached), offset, writtenBytes);
        note(offset, writtenBytes);
        if (ends) {
            throw new EndOfWorld();
        }
    }

    @Override
    public void zero(final long offset, final long countBytes, final boolean keepsRoom) {
        if (world.ends()) {
            throw new EndOfWorld();
        }
        grow(offset + countBytes);
        Arrays.fill(cached, (int) offset, (int) (offset + countBytes), (byte) 0);
        note(offset, countBytes);
    }

    private void grow(final long lengthBytes) {
        if (lengthBytes > cached.length) {
            cached = Arrays.copyOf(cached, (int) lengthBytes);
        }
    }

    private void note(final long offset, final long countBytes) {
        if (countBytes > 0) {
            unsynced.add(new long[] {offset, countBytes});
        }
    }

    @Override
    public void sync() {
        if (world.ends()) {
            throw new EndOfWorld();
        }
        durable = cached.clone();
        unsynced.clear();
    }
}
