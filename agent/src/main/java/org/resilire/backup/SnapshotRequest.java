package org.resilire.backup;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.resilire.disk.DiskTrial;

/**
 * A copy of the replica that somebody wants, and what became of it.
 *
 * @param memory receives the guest's memory
 * @param disks begin at the same epoch; empty if the guest has none
 * @param result completes on the link thread, normally or with the reason why not
 */
record SnapshotRequest(FileChannel memory, Optional<DiskTrial> disks, CompletableFuture<Done> result) {

    /**
     * What the copy is of.
     *
     * @param deviceState at the same epoch
     * @param writtenPages that are not zero
     * @param earlyPages of these, how many were copied just before an epoch changed them
     * @param copyNanos from its epoch until it was whole
     */
    record Done(long epoch, ByteBuffer deviceState, long writtenPages, long earlyPages, long copyNanos) {}

    void fail(final String why) {
        result.completeExceptionally(new IllegalStateException(why));
    }
}
