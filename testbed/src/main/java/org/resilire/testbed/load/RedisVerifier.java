package org.resilire.testbed.load;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import redis.clients.jedis.Jedis;

/** Compares what a connection was told with what the server has. */
final class RedisVerifier {

    private static final int BATCH = 256;
    private static final int MAX_COMPLAINTS = 10;

    private final Jedis redis;
    private final List<String> complaints = new ArrayList<>();
    private long lost;
    private long rewinds;

    RedisVerifier(final Jedis redis) {
        this.redis = redis;
    }

    /**
     * Every value that was set must be there, and the counter must be where its last answer left it, or one further if a
     * request was never answered.
     */
    void verify(final int connection, final List<Operation> operations, final boolean hasUnanswered) {
        final List<Operation> sets = operations.stream()
                .filter(operation -> operation.kind() == Operation.Kind.SET)
                .toList();
        for (int from = 0; from < sets.size(); from += BATCH) {
            verifyValues(connection, sets.subList(from, Math.min(from + BATCH, sets.size())));
        }
        final long lastAnswer = operations.stream()
                .filter(operation -> operation.kind() == Operation.Kind.INCR)
                .mapToLong(operation -> Long.parseLong(operation.value()))
                .reduce(0, (before, after) -> after);
        verifyCounter(connection, lastAnswer, lastAnswer + (hasUnanswered ? 1 : 0));
    }

    private void verifyValues(final int connection, final List<Operation> sets) {
        final String[] keys = sets.stream()
                .map(set -> Operation.key(connection, set.sequence()))
                .toArray(String[]::new);
        final List<String> values = redis.mget(keys);
        for (int i = 0; i < keys.length; i++) {
            if (!Objects.equals(values.get(i), sets.get(i).value())) {
                lost++;
                complain("SET " + keys[i] + " was acknowledged, but the value is "
                        + (values.get(i) == null ? "not there" : "another"));
            }
        }
    }

    private void verifyCounter(final int connection, final long atLeast, final long atMost) {
        final String text = redis.get(Operation.counterKey(connection));
        final long value = text == null ? 0 : Long.parseLong(text);
        if (value < atLeast) {
            lost += atLeast - value;
            complain("the counter of connection " + connection + " was answered to be " + atLeast + " and is " + value);
        } else if (value > atMost) {
            rewinds++;
            complain("the counter of connection " + connection + " is " + value + ", beyond the " + atMost
                    + " requests that were made");
        }
    }

    private void complain(final String complaint) {
        if (complaints.size() < MAX_COMPLAINTS) {
            complaints.add(complaint);
        }
    }

    long lost() {
        return lost;
    }

    long rewinds() {
        return rewinds;
    }

    List<String> complaints() {
        return complaints;
    }
}
