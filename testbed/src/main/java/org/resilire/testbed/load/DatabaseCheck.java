package org.resilire.testbed.load;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.DiskCheck;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.RecoveredDatabase;

/**
 * Looks at the disk that host B had at the failover: its file system, and the database that its own server recovers from it. What was
 * not looked at stays null. One thread.
 */
public final class DatabaseCheck {

    /** The verdict on what is in order. */
    public static final String SOUND = "clean";

    private static final String PLACE = "on the disk taken at the failover: ";

    private final boolean replaysInput;
    private final List<String> complaints = new ArrayList<>();
    private String fileSystem;
    private String amcheck;
    private String checksums;
    private Long acknowledged;
    private Long lost;
    private long rewinds;

    /**
     * Has looked at nothing yet.
     *
     * @param replaysInput whether the guest does again what it did since its last checkpoint, after the copy was taken: what is missing
     *     on the disk is then counted, and no complaint
     */
    public DatabaseCheck(final boolean replaysInput) {
        this.replaysInput = replaysInput;
    }

    /**
     * Checks a copy of the disk, which it changes.
     *
     * @param connections whose records are among the lab's logs
     * @param killedNs what was acknowledged before must be there, for none of it was answered before its epoch was safe
     */
    public void run(final Lab lab, final Path copy, final int connections, final long killedNs) {
        fileSystem = DiskCheck.complaint(copy).orElse(SOUND);
        if (!fileSystem.equals(SOUND)) {
            complaints.add(fileSystem);
            return;
        }
        try (RecoveredDatabase database = RecoveredDatabase.start(lab, copy, copy.resolveSibling("recovered"))) {
            checkLedger(database, LoadProcess.records(lab), connections, killedNs);
            checkSums(database);
            amcheck = database.amcheckComplaint().orElse(SOUND);
            checksums = database.checksumComplaint().orElse(SOUND);
            for (final String verdict : List.of(amcheck, checksums)) {
                if (!verdict.equals(SOUND)) {
                    complaints.add(verdict);
                }
            }
        } catch (final TestbedException failure) {
            complaints.add("the database on the disk taken at the failover: " + failure.getMessage());
        }
    }

    private void checkLedger(
            final RecoveredDatabase database, final Path records, final int connections, final long killedNs) {
        final Map<Integer, Map<Long, String>> rows = new HashMap<>();
        database.query("SELECT connection, sequence, value FROM ledger").forEach(line -> {
            final String[] columns = line.split("\t", 3);
            rows.computeIfAbsent(Integer.valueOf(columns[0]), connection -> new HashMap<>())
                    .put(Long.valueOf(columns[1]), columns[2]);
        });
        final Map<Integer, Long> counters = new HashMap<>();
        database.query("SELECT connection, value FROM counters").forEach(line -> {
            final String[] columns = line.split("\t", 2);
            counters.put(Integer.valueOf(columns[0]), Long.valueOf(columns[1]));
        });
        acknowledged = 0L;
        lost = 0L;
        for (int connection = 1; connection <= connections; connection++) {
            final Ledger ledger = Ledger.recorded(records, connection, killedNs);
            ledger.compare(rows.getOrDefault(connection, Map.of()));
            ledger.compareCounter(counters.getOrDefault(connection, 0L));
            acknowledged += ledger.acknowledged();
            lost += ledger.lost();
            rewinds += ledger.rewinds();
            (replaysInput ? ledger.contradictions() : ledger.complaints())
                    .forEach(complaint -> complaints.add(PLACE + complaint));
        }
    }

    private void checkSums(final RecoveredDatabase database) {
        final String[] sums = database.query(DatabaseSums.QUERY).getFirst().split("\t", 4);
        DatabaseSums.complaint(
                        Long.parseLong(sums[0]),
                        Long.parseLong(sums[1]),
                        Long.parseLong(sums[2]),
                        Long.parseLong(sums[3]))
                .ifPresent(complaint -> complaints.add(PLACE + complaint));
    }

    /** What is wrong, for people. */
    public List<String> complaints() {
        return complaints;
    }

    /** What e2fsck said. */
    public String fileSystem() {
        return fileSystem;
    }

    /** What pg_amcheck said. */
    public String amcheck() {
        return amcheck;
    }

    /** What pg_checksums said. */
    public String checksums() {
        return checksums;
    }

    /** Transactions whose COMMIT was answered before the death. */
    public Long acknowledged() {
        return acknowledged;
    }

    /** Of these, those that are not there. */
    public Long lost() {
        return lost;
    }

    /** Signs that what is there is not one history. */
    public long rewinds() {
        return rewinds;
    }
}
