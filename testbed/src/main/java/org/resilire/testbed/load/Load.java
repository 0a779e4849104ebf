package org.resilire.testbed.load;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;

/** The clients of a guest, together. One thread. */
final class Load implements AutoCloseable {

    private static final int REDIS_PORT = 6379;
    private static final int HTTP_PORT = 80;
    private static final Duration END_LIMIT =
            Duration.ofMillis(RedisConnection.SOCKET_TIMEOUT_MILLIS).plusSeconds(1);

    private final HostAndPort redisServer;
    private final LoadPace pace = new LoadPace();
    private final List<RedisConnection> redis = new ArrayList<>();
    private HttpConnection http;

    private Load(final HostAndPort redisServer) {
        this.redisServer = redisServer;
    }

    /** Opens all connections. Nothing is sent before {@link #start()}. */
    static Load open(final String host, final LoadOptions options, final Path records) {
        final Load load = new Load(new HostAndPort(host, REDIS_PORT));
        load.pace.rest(options.isResting());
        try {
            for (int number = 1; number <= options.connections(); number++) {
                load.redis.add(RedisConnection.open(
                        number,
                        load.redisServer,
                        load.pace,
                        options.thinkTime(),
                        options.valueBytes(),
                        OperationLog.create(records.resolve("redis-" + number + ".log"))));
            }
            load.http = HttpConnection.open(
                    host,
                    HTTP_PORT,
                    load.pace,
                    options.webThinkTime(),
                    OperationLog.create(records.resolve("http.log")));
            return load;
        } catch (final RuntimeException failure) {
            load.close();
            throw failure;
        }
    }

    void start() {
        connections().forEach(LoadConnection::start);
    }

    void rest(final boolean resting) {
        pace.rest(resting);
    }

    LoadProgress progress() {
        final List<LoadConnection> whole = connections()
                .filter(connection -> connection.failure().isEmpty())
                .toList();
        final int all = redis.size() + 1;
        return new LoadProgress(
                connections().mapToLong(LoadConnection::acknowledged).sum(),
                all,
                all - whole.size(),
                whole.stream()
                        .mapToLong(LoadConnection::lastAcknowledgedNs)
                        .min()
                        .orElse(0),
                connections()
                        .filter(connection -> !connection.failure().isEmpty())
                        .map(connection -> connection.name() + ": " + connection.failure())
                        .collect(Collectors.joining("; ")));
    }

    /** Ends the load and looks whether everything that was answered is true. */
    LoadResult finish(final FailoverTimes failover) {
        pace.end();
        final List<LoadConnection> survivors = connections()
                .filter(connection -> connection.awaitEnd(END_LIMIT) && connection.hasSurvived())
                .toList();
        final List<String> complaints = new ArrayList<>();
        connections()
                .filter(connection -> !survivors.contains(connection))
                .map(connection -> "connection " + connection.name() + " broke: " + connection.failure())
                .forEach(complaints::add);
        final LoadTimes times = new LoadTimes(failover);
        try (Jedis fresh = RedisConnection.connect(redisServer)) {
            final RedisVerifier verifier = new RedisVerifier(fresh);
            for (final RedisConnection connection : redis) {
                final List<Operation> operations = connection.operations();
                verifier.verify(connection.number(), operations, !survivors.contains(connection));
                times.add(operations);
            }
            complaints.addAll(verifier.complaints());
            return new LoadResult(
                    connections().mapToLong(LoadConnection::acknowledged).sum(),
                    verifier.lost(),
                    verifier.rewinds()
                            + connections().mapToLong(LoadConnection::rewinds).sum(),
                    redis.size() + 1,
                    survivors.size(),
                    times.downtimeMillisFirst(),
                    times.downtimeMillisMedian(),
                    times.downtimeMillisWorst(),
                    times.latencyMillis(50),
                    times.latencyMillis(99),
                    times.unprotectedLatencyMillis(50),
                    complaints);
        }
    }

    private Stream<LoadConnection> connections() {
        return Stream.concat(redis.stream(), Stream.ofNullable(http));
    }

    @Override
    public void close() {
        pace.end();
        connections().forEach(LoadConnection::close);
    }
}
