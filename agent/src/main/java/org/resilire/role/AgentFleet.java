package org.resilire.role;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Agents of several guests in one process, each on threads of its own, with a link and run directories of its own: what befalls one
 * does not concern the others. An agent that fails is started again, later each time it fails at its start; one that ends is not.
 *
 * <p>All threads of an agent are in a thread group with its guest's name, so that a log can tell whose line it is.
 */
public final class AgentFleet {

    /** An agent that can be run once. */
    public interface Member {

        /** Runs until the end; returns an exit code. */
        int run() throws IOException;

        /** Ends in order and waits for it; bounded, but for the time in which disks are written out. Any thread. */
        void stop(Duration limit) throws InterruptedException;
    }

    /** The names of the groups begin with this. */
    public static final String GROUP_PREFIX = "guest ";

    private static final Logger LOG = LoggerFactory.getLogger(AgentFleet.class);
    private static final int MAX_DOUBLINGS = 6;

    private final Map<String, Supplier<? extends Member>> agents;
    private final long retryNanos;
    private final NanoClock clock;
    private final Map<String, Member> running = new TreeMap<>();
    private final CountDownLatch stopping = new CountDownLatch(1);

    /**
     * A fleet that does not run yet.
     *
     * @param agents by the guests' names; each makes an agent that has not run
     */
    public AgentFleet(final Map<String, ? extends Supplier<? extends Member>> agents) {
        this(agents, TimeUnit.SECONDS.toNanos(1), SystemNanoClock.INSTANCE);
    }

    /** @param clock tells how long an agent ran */
    AgentFleet(
            final Map<String, ? extends Supplier<? extends Member>> agents,
            final long retryNanos,
            final NanoClock clock) {
        this.agents = new TreeMap<>(agents);
        this.retryNanos = retryNanos;
        this.clock = clock;
    }

    /** Runs them all; returns the highest exit code once the last has ended. */
    public int run() throws InterruptedException {
        final Map<String, Integer> exitCodes = new TreeMap<>();
        final List<Thread> threads = new ArrayList<>();
        agents.forEach((name, maker) -> {
            final Thread thread = new Thread(new ThreadGroup(GROUP_PREFIX + name), () -> {
                final int exitCode = runOne(name, maker);
                synchronized (exitCodes) {
                    exitCodes.put(name, exitCode);
                }
            });
            thread.setName("agent");
            threads.add(thread);
            thread.start();
        });
        for (final Thread thread : threads) {
            thread.join();
        }
        synchronized (exitCodes) {
            return exitCodes.values().stream().mapToInt(Integer::intValue).max().orElse(0);
        }
    }

    private int runOne(final String name, final Supplier<? extends Member> maker) {
        int failures = 0;
        while (true) {
            final long startNanos = clock.nanoTime();
            try {
                // Made anew from a configuration that may have changed, and may be wrong now.
                final Member agent = maker.get();
                if (!begin(name, agent)) {
                    return 0;
                }
                final int exitCode = agent.run();
                LOG.info("the agent has ended, with exit code {}", exitCode);
                return exitCode;
            } catch (final IOException | RuntimeException e) {
                LOG.error("the agent failed: {}", e.getMessage(), e);
            } finally {
                end(name);
            }
            if (clock.nanoTime() - startNanos > retryNanos << MAX_DOUBLINGS) {
                // It ran well for a while: this is no failure to start.
                failures = 0;
            }
            final long waitNanos = retryNanos << Math.min(failures, MAX_DOUBLINGS);
            failures++;
            LOG.warn("trying again in {} s", TimeUnit.NANOSECONDS.toSeconds(waitNanos));
            try {
                if (stopping.await(waitNanos, TimeUnit.NANOSECONDS)) {
                    return 0;
                }
            } catch (final InterruptedException e) {
                Thread.currentThread().interrupt();
                return 0;
            }
        }
    }

    private synchronized boolean begin(final String name, final Member agent) {
        if (stopping.getCount() == 0) {
            return false;
        }
        running.put(name, agent);
        return true;
    }

    private synchronized void end(final String name) {
        running.remove(name);
    }

    /** Ends all of them in order, at the same time, and waits for it. Any thread. */
    public void stop(final Duration limit) throws InterruptedException {
        final List<Member> members;
        synchronized (this) {
            stopping.countDown();
            members = List.copyOf(running.values());
        }
        final List<Thread> threads = new ArrayList<>();
        for (final Member member : members) {
            threads.add(Thread.ofPlatform().name("stop").start(() -> {
                try {
                    member.stop(limit);
                } catch (final InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
        for (final Thread thread : threads) {
            thread.join();
        }
    }
}
