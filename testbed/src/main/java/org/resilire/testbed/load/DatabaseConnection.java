package org.resilire.testbed.load;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/** Transactions that add a row and count up, one after another. */
final class DatabaseConnection extends LoadConnection {

    /** Far longer than any failover, and the end of a wait for a host that is lost for good. */
    static final Duration SOCKET_LIMIT = Duration.ofSeconds(45);

    static final String DATABASE = "bench";
    private static final String USER = "postgres";

    private final int number;
    private final Connection database;
    private final PreparedStatement insert;
    private final PreparedStatement count;
    private final int serverProcess;
    private final int valueBytes;
    private final SplittableRandom random;
    private long sequence;

    private DatabaseConnection(
            final int number,
            final LoadPace pace,
            final Duration thinkTime,
            final int valueBytes,
            final OperationLog log,
            final Connection database)
            throws SQLException {
        super("database-" + number, pace, thinkTime, log);
        this.number = number;
        this.database = database;
        this.valueBytes = valueBytes;
        random = new SplittableRandom(number);
        serverProcess = serverProcess(database);
        insert = database.prepareStatement("INSERT INTO ledger VALUES (?, ?, ?)");
        count = database.prepareStatement(
                "INSERT INTO counters VALUES (?, 1) ON CONFLICT (connection) DO UPDATE SET value = counters.value + 1"
                        + " RETURNING value");
    }

    static DatabaseConnection open(
            final int number,
            final String host,
            final LoadPace pace,
            final Duration thinkTime,
            final int valueBytes,
            final OperationLog log) {
        try {
            final Connection database = connect(host);
            database.setAutoCommit(false);
            return new DatabaseConnection(number, pace, thinkTime, valueBytes, log, database);
        } catch (final SQLException failure) {
            throw new IllegalStateException("cannot connect to the database: " + failure.getMessage(), failure);
        }
    }

    static Connection connect(final String host) throws SQLException {
        final PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {host});
        source.setDatabaseName(DATABASE);
        source.setUser(USER);
        final int limitSeconds = (int) SOCKET_LIMIT.toSeconds();
        source.setConnectTimeout(limitSeconds);
        source.setSocketTimeout(limitSeconds);
        return source.getConnection();
    }

    private static int serverProcess(final Connection database) throws SQLException {
        return database.unwrap(PGConnection.class).getBackendPID();
    }

    @Override
    void operate() {
        final long next = sequence + 1;
        final String value = uniqueValue(next);
        try {
            final long sentNs = System.nanoTime();
            insert.setInt(1, number);
            insert.setLong(2, next);
            insert.setString(3, value);
            insert.executeUpdate();
            final long counted = count();
            database.commit();
            final long acknowledgedNs = System.nanoTime();
            if (counted != next) {
                recordRewind();
            }
            sequence = next;
            acknowledge(new Operation(Operation.Kind.COMMIT, next, sentNs, acknowledgedNs, value));
        } catch (final SQLException broken) {
            throw new IllegalStateException(broken.getMessage(), broken);
        }
    }

    private long count() throws SQLException {
        count.setInt(1, number);
        try (ResultSet counted = count.executeQuery()) {
            counted.next();
            return counted.getLong(1);
        }
    }

    private String uniqueValue(final long next) {
        final StringBuilder value = new StringBuilder(valueBytes + Long.SIZE);
        value.append(number).append('-').append(next).append('-');
        while (value.length() < valueBytes) {
            value.append(Long.toHexString(random.nextLong()));
        }
        return value.toString();
    }

    /** A server process serves one connection, and its number comes back late. */
    @Override
    boolean isSameConnection() {
        try (Statement statement = database.createStatement();
                ResultSet process = statement.executeQuery("SELECT pg_backend_pid()")) {
            process.next();
            final boolean isSame = process.getInt(1) == serverProcess;
            database.rollback();
            return isSame;
        } catch (final SQLException broken) {
            throw new IllegalStateException(broken.getMessage(), broken);
        }
    }

    int number() {
        return number;
    }

    /** The rows of a connection, values by sequence. */
    static Map<Long, String> readLedger(final Connection database, final int connection) throws SQLException {
        final Map<Long, String> found = new HashMap<>();
        try (PreparedStatement select =
                database.prepareStatement("SELECT sequence, value FROM ledger WHERE connection = ?")) {
            select.setInt(1, connection);
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    found.put(rows.getLong(1), rows.getString(2));
                }
            }
        }
        return found;
    }

    /** 0 if it has counted nothing. */
    static long readCounter(final Connection database, final int connection) throws SQLException {
        try (PreparedStatement select = database.prepareStatement("SELECT value FROM counters WHERE connection = ?")) {
            select.setInt(1, connection);
            try (ResultSet value = select.executeQuery()) {
                return value.next() ? value.getLong(1) : 0;
            }
        }
    }

    /** pgbench moves the same amount in four tables by one transaction: what does not add up is a torn transaction. */
    static Optional<String> unbalanced(final Connection database) throws SQLException {
        try (Statement statement = database.createStatement();
                ResultSet sums = statement.executeQuery(DatabaseSums.QUERY)) {
            sums.next();
            return DatabaseSums.complaint(sums.getLong(1), sums.getLong(2), sums.getLong(3), sums.getLong(4));
        }
    }

    @Override
    public void close() {
        super.close();
        try {
            database.close();
        } catch (final SQLException alreadyGone) {
            // As good an end as any.
        }
    }
}
