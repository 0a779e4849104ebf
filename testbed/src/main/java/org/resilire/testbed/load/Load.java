package org.resilire.testbed.load;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The clients of a guest, together. Subclasses know what they ask for, and how it is looked up afterwards. One thread. */
abstract class Load implements AutoCloseable {

    private final Duration endLimit;
    private final LoadPace pace = new LoadPace();
    private final List<LoadConnection> connections = new ArrayList<>();

    /**
     * A load without connections yet.
     *
     * @param endLimit of a connection, to be answered or to give up, once the load is over
     */
    Load(final Duration endLimit, final LoadOptions options) {
        this.endLimit = endLimit;
        pace.rest(options.isResting());
    }

    /** Opens all connections. Nothing is sent before {@link #start()}. */
    static Load open(final String host, final LoadOptions options, final Path records) {
        final Load load = switch (options.kind()) {
            case SERVICES -> new ServicesLoad(host, options);
            case DATABASE -> new DatabaseLoad(host, options);
        };
        try {
            load.connect(options, records);
            return load;
        } catch (final RuntimeException failure) {
            load.close();
            throw failure;
        }
    }

    /** Opens the connections, each of which is told by {@link #add}. */
    abstract void connect(LoadOptions options, Path records);

    /** Looks whether everything that was answered is true. */
    abstract void verify(LoadVerdict verdict);

    final LoadPace pace() {
        return pace;
    }

    final <C extends LoadConnection> C add(final C connection) {
        connections.add(connection);
        return connection;
    }

    final void start() {
        connections.forEach(LoadConnection::start);
    }

    final void rest(final boolean resting) {
        pace.rest(resting);
    }

    final LoadProgress progress() {
        final List<LoadConnection> whole = connections.stream()
                .filter(connection -> connection.failure().isEmpty())
                .toList();
        return new LoadProgress(
                acknowledged(),
                connections.size(),
                connections.size() - whole.size(),
                whole.stream()
                        .mapToLong(LoadConnection::lastAcknowledgedNs)
                        .min()
                        .orElse(0),
                connections.stream()
                        .filter(connection -> !connection.failure().isEmpty())
                        .map(connection -> connection.name() + ": " + connection.failure())
                        .collect(Collectors.joining("; ")));
    }

    private long acknowledged() {
        return connections.stream().mapToLong(LoadConnection::acknowledged).sum();
    }

    /** Ends the load and looks whether everything that was answered is true. */
    final LoadResult finish(final FailoverTimes failover) {
        pace.end();
        final List<LoadConnection> survivors = connections.stream()
                .filter(connection -> connection.awaitEnd(endLimit) && connection.hasSurvived())
                .toList();
        final LoadTimes times = new LoadTimes(failover);
        final LoadVerdict verdict = new LoadVerdict(survivors, times);
        connections.stream()
                .filter(connection -> !verdict.hasSurvived(connection))
                .map(connection -> "connection " + connection.name() + " broke: " + connection.failure())
                .forEach(verdict::complain);
        verify(verdict);
        return new LoadResult(
                acknowledged(),
                verdict.lost(),
                verdict.rewinds()
                        + connections.stream()
                                .mapToLong(LoadConnection::rewinds)
                                .sum(),
                connections.size(),
                verdict.survivors(),
                times.downtimeMillisFirst(),
                times.downtimeMillisMedian(),
                times.downtimeMillisWorst(),
                times.latencyMillis(50),
                times.latencyMillis(99),
                times.unprotectedLatencyMillis(50),
                verdict.complaints());
    }

    @Override
    public void close() {
        pace.end();
        connections.forEach(LoadConnection::close);
    }
}
