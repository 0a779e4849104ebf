package org.resilire.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;

/** Ends an agent in order on Ctrl-C and SIGTERM: the shutdown hook asks it to stop and waits while it does. */
final class Termination {

    /** Asks an agent to stop and waits for it, bounded. */
    interface Stop {
        void within(Duration limit) throws InterruptedException;
    }

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Stop stop;

    Termination(final Stop stop) {
        this.stop = stop;
    }

    int during(final Callable<Integer> agent) throws IOException {
        // At an ordinary end the hook finds the agent ended already.
        final Thread hook = Thread.ofPlatform().name("termination").unstarted(() -> {
            try {
                stop.within(LIMIT);
            } catch (final InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            return agent.call();
        } catch (final IOException | RuntimeException e) {
            throw e;
        } catch (final Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
