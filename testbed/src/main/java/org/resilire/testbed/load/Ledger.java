package org.resilire.testbed.load;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Compares what one connection was told to be committed with what a database has. Each transaction of the connection adds the next
 * row and counts up. One thread.
 */
final class Ledger {

    private static final int MAX_COMPLAINTS = 10;

    private final int connection;
    private final Map<Long, String> acknowledged = new HashMap<>();
    private final List<String> losses = new ArrayList<>();
    private final List<String> contradictions = new ArrayList<>();
    private long lastAcknowledged;
    private long rows;
    private long lost;
    private long rewinds;

    /**
     * A ledger that was compared with nothing yet.
     *
     * @param operations whose COMMIT was answered; others are left out
     */
    Ledger(final int connection, final List<Operation> operations) {
        this.connection = connection;
        for (final Operation operation : operations) {
            if (operation.kind() == Operation.Kind.COMMIT) {
                acknowledged.put(operation.sequence(), operation.value());
                lastAcknowledged = Math.max(lastAcknowledged, operation.sequence());
            }
        }
    }

    /**
     * What the record of a connection says was answered before an instant.
     *
     * @param records directory of the records
     */
    static Ledger recorded(final Path records, final int connection, final long beforeNs) {
        final Path record = records.resolve(DatabaseLoad.recordName(connection));
        return new Ledger(
                connection,
                OperationLog.read(record).stream()
                        .filter(operation -> operation.acknowledgedNs() < beforeNs)
                        .toList());
    }

    /**
     * Compares with a table. What is there beyond what was acknowledged must follow without a gap: it was committed, and the answer
     * did not arrive.
     *
     * @param found values by sequence
     */
    void compare(final Map<Long, String> found) {
        rows = found.size();
        acknowledged.forEach((sequence, value) -> {
            if (!value.equals(found.get(sequence))) {
                lost++;
                complain(
                        losses,
                        "COMMIT " + sequence + " of connection " + connection + " was acknowledged, but its row is "
                                + (found.containsKey(sequence) ? "another" : "not there"));
            }
        });
        for (long sequence = 1; sequence <= rows; sequence++) {
            if (!found.containsKey(sequence)) {
                rewinds++;
                complain(
                        contradictions,
                        "connection " + connection + " has " + rows + " rows, but not number " + sequence);
            }
        }
    }

    /** Both are changed by the same transactions. */
    void compareCounter(final long counter) {
        if (counter != rows) {
            rewinds++;
            complain(
                    contradictions,
                    "connection " + connection + " has " + rows + " rows and has counted to " + counter
                            + ": a transaction was torn apart");
        }
    }

    /** Nothing can be there that was not acknowledged: of a connection on which every request was answered. */
    void requireNothingUnanswered() {
        if (rows > lastAcknowledged) {
            rewinds++;
            complain(
                    contradictions,
                    "connection " + connection + " has " + rows + " rows, but only " + lastAcknowledged
                            + " were ever asked for");
        }
    }

    private static void complain(final List<String> complaints, final String complaint) {
        if (complaints.size() < MAX_COMPLAINTS) {
            complaints.add(complaint);
        }
    }

    /** Transactions. */
    long acknowledged() {
        return acknowledged.size();
    }

    /** Of these, those that are not there. */
    long lost() {
        return lost;
    }

    /** Signs that what is there is not one history. */
    long rewinds() {
        return rewinds;
    }

    /** What is missing, the first of it, for people. */
    List<String> losses() {
        return losses;
    }

    /** Why what is there is not one history, the first signs, for people. */
    List<String> contradictions() {
        return contradictions;
    }

    /** Both. */
    List<String> complaints() {
        return Stream.concat(losses.stream(), contradictions.stream()).toList();
    }
}
