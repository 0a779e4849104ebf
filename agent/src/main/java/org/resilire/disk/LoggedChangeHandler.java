package org.resilire.disk;

import java.lang.foreign.MemorySegment;

/** Takes changes out of an {@link EpochWriteLog}, one at a time and in order. */
@FunctionalInterface
public interface LoggedChangeHandler {

    /**
     * Takes a change, whose data stand in one or two pieces and are valid during the call.
     *
     * @param dataOffset of the first piece in the memory; the second one begins at offset 0
     * @param firstBytes of the first piece; 0 if the change has no data
     * @param secondBytes of the second piece, mostly 0
     * @return false if there is no room for it now: it will be offered again
     */
    boolean onChange(
            long epoch,
            DiskChange change,
            long diskOffset,
            long lengthBytes,
            MemorySegment memory,
            long dataOffset,
            int firstBytes,
            int secondBytes);
}
