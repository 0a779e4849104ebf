package org.resilire.testbed.load;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;

/** Clients of Redis, and one of the web server. */
final class ServicesLoad extends Load {

    private static final int REDIS_PORT = 6379;
    private static final int HTTP_PORT = 80;
    private static final Duration END_LIMIT =
            Duration.ofMillis(RedisConnection.SOCKET_TIMEOUT_MILLIS).plusSeconds(1);

    private final String host;
    private final HostAndPort redisServer;
    private final List<RedisConnection> redis = new ArrayList<>();

    ServicesLoad(final String host, final LoadOptions options) {
        super(END_LIMIT, options);
        this.host = host;
        redisServer = new HostAndPort(host, REDIS_PORT);
    }

    @Override
    void connect(final LoadOptions options, final Path records) {
        for (int number = 1; number <= options.connections(); number++) {
            redis.add(add(RedisConnection.open(
                    number,
                    redisServer,
                    pace(),
                    options.thinkTime(),
                    options.valueBytes(),
                    OperationLog.create(records.resolve("redis-" + number + ".log")))));
        }
        add(HttpConnection.open(
                host, HTTP_PORT, pace(), options.webThinkTime(), OperationLog.create(records.resolve("http.log"))));
    }

    @Override
    void verify(final LoadVerdict verdict) {
        try (Jedis fresh = RedisConnection.connect(redisServer)) {
            final RedisVerifier verifier = new RedisVerifier(fresh);
            for (final RedisConnection connection : redis) {
                final List<Operation> operations = connection.operations();
                verifier.verify(connection.number(), operations, !verdict.hasSurvived(connection));
                verdict.times().add(operations);
            }
            verdict.add(verifier.lost(), verifier.rewinds(), verifier.complaints());
        }
    }
}
