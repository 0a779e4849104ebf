package org.resilire.net;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** The network thread's counters. It alone writes, at most once a duty cycle; any thread reads, without a lock. */
public final class NetworkCounters {

    private final Map<NetworkCounter, AtomicLong> values = new EnumMap<>(NetworkCounter.class);

    NetworkCounters() {
        for (final NetworkCounter counter : NetworkCounter.values()) {
            values.put(counter, new AtomicLong());
        }
    }

    public long value(final NetworkCounter counter) {
        return values.get(counter).getAcquire();
    }

    void publish(final NetworkCounter counter, final long value) {
        values.get(counter).setRelease(value);
    }
}
