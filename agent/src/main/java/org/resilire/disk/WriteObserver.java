package org.resilire.disk;

import java.lang.foreign.MemorySegment;

/**
 * Sees every change of a {@link DiskImage}. Each change calls {@link #beforeChange} and then exactly one of the others, before
 * whoever asked for it gets an answer. Changes of ranges that overlap are reported in the order in which they took effect;
 * others may be reported at the same time, from several threads.
 */
public interface WriteObserver {

    /** Sees nothing. */
    WriteObserver NONE = new WriteObserver() {
        @Override
        public boolean isReady(final DiskChange change, final long lengthBytes) {
            return true;
        }

        @Override
        public void beforeChange(final DiskChange change, final long diskOffset, final long lengthBytes) {}

        @Override
        public void changed(
                final DiskChange change,
                final long diskOffset,
                final long lengthBytes,
                final MemorySegment data,
                final long dataOffset) {}

        @Override
        public void unchanged(final DiskChange change, final long lengthBytes) {}

        @Override
        public void uncertain(final DiskChange change, final long diskOffset, final long lengthBytes) {}
    };

    /** A hint: false if {@link #beforeChange} would wait, so that the caller can let others pass first. */
    boolean isReady(DiskChange change, long lengthBytes);

    /** Waits until the change can be taken note of. */
    void beforeChange(DiskChange change, long diskOffset, long lengthBytes);

    /**
     * The change has taken effect.
     *
     * @param data what was written, of {@code lengthBytes} from {@code dataOffset}, valid during the call; null unless the
     *     change is a {@link DiskChange#WRITE}
     */
    void changed(DiskChange change, long diskOffset, long lengthBytes, MemorySegment data, long dataOffset);

    /**
     * Ends a {@link #beforeChange} of a {@link DiskChange#WRITE} by what the range holds, although nothing has changed: the change
     * that makes a range with any other content equal.
     *
     * @param data as for {@link #changed}
     */
    default void reported(
            final DiskChange change,
            final long diskOffset,
            final long lengthBytes,
            final MemorySegment data,
            final long dataOffset) {
        changed(change, diskOffset, lengthBytes, data, dataOffset);
    }

    /** Nothing has changed: the image cannot do it. */
    void unchanged(DiskChange change, long lengthBytes);

    /** The change failed, and the range may hold the old bytes, the new ones or some of each. */
    void uncertain(DiskChange change, long diskOffset, long lengthBytes);
}
