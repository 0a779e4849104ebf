package org.resilire.testbed.load;

import java.time.Duration;
import java.util.SplittableRandom;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;

/** Sets unique values and counts up, in turn. */
final class RedisConnection extends LoadConnection {

    /** Far longer than any failover, or an agent that starts on a busy machine, and the end of a wait for a host that is lost for good. */
    static final int SOCKET_TIMEOUT_MILLIS = 45_000;

    private final int number;
    private final Jedis redis;
    private final long clientId;
    private final int valueBytes;
    private final SplittableRandom random;

    private long setSequence;
    private long incrSequence;
    private boolean isIncrNext;
    private long counter;

    private RedisConnection(
            final int number,
            final LoadPace pace,
            final Duration thinkTime,
            final int valueBytes,
            final OperationLog log,
            final Jedis redis) {
        super("redis-" + number, pace, thinkTime, log);
        this.number = number;
        this.redis = redis;
        this.valueBytes = valueBytes;
        clientId = redis.clientId();
        random = new SplittableRandom(clientId);
    }

    static RedisConnection open(
            final int number,
            final HostAndPort server,
            final LoadPace pace,
            final Duration thinkTime,
            final int valueBytes,
            final OperationLog log) {
        return new RedisConnection(number, pace, thinkTime, valueBytes, log, connect(server));
    }

    static Jedis connect(final HostAndPort server) {
        return new Jedis(
                server,
                DefaultJedisClientConfig.builder()
                        .connectionTimeoutMillis(SOCKET_TIMEOUT_MILLIS)
                        .socketTimeoutMillis(SOCKET_TIMEOUT_MILLIS)
                        .autoNegotiateProtocol(false)
                        .build());
    }

    @Override
    void operate() {
        if (isIncrNext) {
            increment();
        } else {
            set();
        }
        isIncrNext = !isIncrNext;
    }

    private void set() {
        final long sequence = ++setSequence;
        final String value = uniqueValue(sequence);
        final long sentNs = System.nanoTime();
        redis.set(Operation.key(number, sequence), value);
        acknowledge(new Operation(Operation.Kind.SET, sequence, sentNs, System.nanoTime(), value));
    }

    private void increment() {
        final long sentNs = System.nanoTime();
        final long answer = redis.incr(Operation.counterKey(number));
        final long acknowledgedNs = System.nanoTime();
        if (answer != counter + 1) {
            recordRewind();
        }
        counter = answer;
        acknowledge(new Operation(Operation.Kind.INCR, ++incrSequence, sentNs, acknowledgedNs, Long.toString(answer)));
    }

    /** Unique by its beginning; the rest is noise, as a page of real values is. */
    private String uniqueValue(final long sequence) {
        final StringBuilder value = new StringBuilder(valueBytes + Long.SIZE);
        value.append(number).append('-').append(sequence).append('-');
        while (value.length() < valueBytes) {
            value.append(Long.toHexString(random.nextLong()));
        }
        return value.toString();
    }

    /** Redis numbers its connections and never uses a number again. */
    @Override
    boolean isSameConnection() {
        return redis.clientId() == clientId;
    }

    int number() {
        return number;
    }

    @Override
    public void close() {
        super.close();
        redis.close();
    }
}
