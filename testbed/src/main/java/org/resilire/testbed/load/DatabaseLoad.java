package org.resilire.testbed.load;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Clients of PostgreSQL that remember every transaction whose COMMIT was answered. */
final class DatabaseLoad extends Load {

    private final String host;
    private final List<DatabaseConnection> database = new ArrayList<>();

    DatabaseLoad(final String host, final LoadOptions options) {
        super(DatabaseConnection.SOCKET_LIMIT.plusSeconds(1), options);
        this.host = host;
    }

    @Override
    void connect(final LoadOptions options, final Path records) {
        for (int number = 1; number <= options.connections(); number++) {
            database.add(add(DatabaseConnection.open(
                    number,
                    host,
                    pace(),
                    options.thinkTime(),
                    options.valueBytes(),
                    OperationLog.create(records.resolve(recordName(number))))));
        }
    }

    /** The record of a connection. */
    static String recordName(final int connection) {
        return "database-" + connection + ".log";
    }

    @Override
    void verify(final LoadVerdict verdict) {
        try (Connection fresh = DatabaseConnection.connect(host)) {
            for (final DatabaseConnection connection : database) {
                final List<Operation> operations = connection.operations();
                final Ledger ledger = new Ledger(connection.number(), operations);
                ledger.compare(DatabaseConnection.readLedger(fresh, connection.number()));
                ledger.compareCounter(DatabaseConnection.readCounter(fresh, connection.number()));
                if (verdict.hasSurvived(connection)) {
                    ledger.requireNothingUnanswered();
                }
                verdict.times().add(operations);
                verdict.add(ledger.lost(), ledger.rewinds(), ledger.complaints());
            }
            DatabaseConnection.unbalanced(fresh).ifPresent(verdict::complain);
        } catch (final SQLException failure) {
            throw new IllegalStateException(
                    "the database cannot be asked what it has: " + failure.getMessage(), failure);
        }
    }
}
