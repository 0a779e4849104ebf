package org.resilire.testbed.demo;

import java.util.List;

/**
 * What one failover of a database showed; the components are the keys of its JSON. Null: not measured, because it did not come to
 * it.
 *
 * @param acknowledgedTransactions whose COMMIT was answered, over the whole run
 * @param acknowledgedBeforeDeath of these, before host A was killed
 * @param lostTransactions acknowledged and not there in the database that goes on
 * @param lostOnDisk acknowledged before the death and not there after recovery from the disk taken at the failover; with input replay
 *     the guest had still to do these again
 * @param rewinds signs that what is there is not one history: gaps, torn transactions, sums that do not fit
 * @param serviceDowntimeMillis from the kill to the first COMMIT answered by the new host, on the median connection; the guest
 *     stands still for {@code diskCopyMillis} of it
 * @param diskCopyMillis for which the new guest was stopped to have its disk copied
 * @param pgbenchUnprotected transactions a second, without a backup; frames and disk requests pass through the agent
 * @param pgbenchProtected the same while protected
 * @param pgbenchAfter the same on the new host, unprotected
 * @param latencyMillisP50 of a transaction of the clients that remember, while protected
 * @param protectMillis from the standby's start until the guest was protected: first copies of disk and memory
 * @param fileSystem what e2fsck said of the disk taken at the failover
 * @param amcheck what pg_amcheck said of the database recovered from it
 * @param checksums what pg_checksums said of it
 * @param brokenPromises empty if all went as it must
 */
record DatabaseResult(
        long seed,
        Long epochs,
        Long acknowledgedTransactions,
        Long acknowledgedBeforeDeath,
        Long lostTransactions,
        Long lostOnDisk,
        Long rewinds,
        Integer connections,
        Integer connectionsSurvived,
        Double detectMillis,
        Double resumeMillis,
        Double takeoverMillis,
        Double serviceDowntimeMillis,
        Double serviceDowntimeMillisWorst,
        Double diskCopyMillis,
        Double pauseMillisP50,
        Double commitMillisP50,
        Double latencyMillisUnprotectedP50,
        Double latencyMillisP50,
        Double latencyMillisP99,
        Double pgbenchUnprotected,
        Double pgbenchProtected,
        Double pgbenchAfter,
        Double protectMillis,
        String fileSystem,
        String amcheck,
        String checksums,
        long periodMillis,
        int memoryMiB,
        List<String> brokenPromises)
        implements RunResult {}
