package org.resilire.fault;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.resilire.linux.PidFd;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Armed failure points, each with the number of the passage at which it fires, once. Nothing is armed in production. A point is
 * passed by one thread.
 */
public final class FailurePoints {

    private static final Logger LOG = LoggerFactory.getLogger(FailurePoints.class);

    /** Nothing ever fires. */
    public static final FailurePoints NONE = new FailurePoints(List.of());

    private final Map<FailurePoint, AtomicLong> passagesLeft = new EnumMap<>(FailurePoint.class);

    /** @param armed items such as {@code guest-kill-before-ack} or {@code guest-kill-before-ack@100} */
    public FailurePoints(final List<String> armed) {
        for (final String item : armed) {
            final int at = item.indexOf('@');
            final FailurePoint point = parse(at < 0 ? item : item.substring(0, at));
            passagesLeft.put(point, new AtomicLong(at < 0 ? 1 : passage(item, at)));
        }
    }

    private static long passage(final String item, final int at) {
        try {
            return Long.parseLong(item.substring(at + 1));
        } catch (final NumberFormatException e) {
            throw new IllegalArgumentException("'" + item + "' does not end with the number of a passage", e);
        }
    }

    private static FailurePoint parse(final String name) {
        try {
            return FailurePoint.valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
        } catch (final IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "unknown failure point '" + name + "'; there are "
                            + Arrays.stream(FailurePoint.values())
                                    .map(FailurePoint::optionName)
                                    .collect(Collectors.joining(", ")),
                    e);
        }
    }

    /** True at the passage for which the point was armed. */
    public boolean fires(final FailurePoint point) {
        final AtomicLong left = passagesLeft.get(point);
        if (left == null || left.decrementAndGet() != 0) {
            return false;
        }
        LOG.warn("armed failure point {} fires", point.optionName());
        return true;
    }

    /** Kills this process. {@link Runtime#halt} would not do: it waits for the compiler, seconds where that has much to do. */
    public void killIfFires(final FailurePoint point) {
        if (fires(point)) {
            try (PidFd self = PidFd.open(ProcessHandle.current().pid())) {
                self.kill();
            }
            throw new IllegalStateException("alive after SIGKILL");
        }
    }
}
