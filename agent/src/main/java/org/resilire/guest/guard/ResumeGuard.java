package org.resilire.guest.guard;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.linux.MappedFile;
import org.resilire.linux.PidFd;

/**
 * Watches an agent from a process of its own and, if the agent dies while it has the guest paused, resumes the guest (law 7).
 * Standard output says {@code ready} once; standard error is the log. A {@code q} on standard input, or its end while the
 * agent lives on, is an orderly end without any action.
 */
public final class ResumeGuard {

    /** Said on standard output when everything is warm and the agent is being watched. */
    static final String READY = "ready";

    /** Sent by the agent before it ends in order. */
    static final char QUIT = 'q';

    private static final int EXIT_OK = 0;
    private static final int EXIT_USAGE = 2;
    private static final long FOREVER = -1;

    /** A dying agent's pipe closes before its process counts as ended: unmapping a large guest's RAM takes a while. */
    private static final long DEATH_AFTER_END_OF_INPUT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final GuardOptions options;
    private final PrintStream log;
    private final Resumption resumption;

    /** Prepares a guard; {@link #watch} starts it. */
    public ResumeGuard(final GuardOptions options, final PrintStream log) {
        this.options = options;
        this.log = log;
        resumption = new Resumption(options.qmpSocket());
    }

    /** Entry point of the guard's process. */
    public static void main(final String[] arguments) throws IOException {
        System.exit(run(List.of(arguments), System.in, System.out, System.err));
    }

    /** As {@link #main}, for a command line of its own; returns the exit code. */
    public static int run(
            final List<String> arguments, final InputStream input, final PrintStream output, final PrintStream log)
            throws IOException {
        final GuardOptions options;
        try {
            options = GuardOptions.parse(arguments);
        } catch (final IllegalArgumentException e) {
            log.println(e.getMessage());
            return EXIT_USAGE;
        }
        new ResumeGuard(options, log).watch(input, output);
        return EXIT_OK;
    }

    /** Returns when the agent has ended, in one way or the other. */
    public void watch(final InputStream input, final PrintStream output) throws IOException {
        try (MappedFile flagFile = MappedFile.mapReadOnly(options.flagFile())) {
            final PausedFlag flag = new PausedFlag(flagFile.segment(), options.flagOffset());
            flag.value();
            WarmUp.run();
            final CountDownLatch ended = new CountDownLatch(1);
            try (PidFd agent = PidFd.open(options.agentPid())) {
                agent.hasExited();
                startDaemon("agent-input", () -> awaitQuit(input, agent, ended));
                startDaemon("agent-death", () -> awaitDeath(agent, flag, ended));
                output.println(READY);
                output.flush();
                ended.await();
            } catch (final LinuxException e) {
                if (e.errno() != Errno.ESRCH) {
                    throw e;
                }
                // It died while this process was starting.
                onDeath(flag);
            } catch (final InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void startDaemon(final String name, final Runnable task) {
        Thread.ofPlatform().daemon().name(name).start(task);
    }

    private void awaitQuit(final InputStream input, final PidFd agent, final CountDownLatch ended) {
        if (readQuit(input)) {
            log.println("the agent (process " + options.agentPid() + ") ended in order");
            ended.countDown();
        } else if (!agent.awaitExit(DEATH_AFTER_END_OF_INPUT_NANOS)) {
            log.println("the agent (process " + options.agentPid() + ") let go of this guard and lives on: ending");
            ended.countDown();
        }
    }

    private static boolean readQuit(final InputStream input) {
        try {
            int read;
            do {
                read = input.read();
            } while (read >= 0 && read != QUIT);
            return read == QUIT;
        } catch (final IOException e) {
            // No more to be heard than at the end.
            return false;
        }
    }

    private void awaitDeath(final PidFd agent, final PausedFlag flag, final CountDownLatch ended) {
        if (agent.awaitExit(FOREVER) && ended.getCount() > 0) {
            onDeath(flag);
        }
        ended.countDown();
    }

    private void onDeath(final PausedFlag flag) {
        final long died = System.nanoTime();
        final long paused = flag.value();
        final String done;
        if (paused == PausedFlag.NOT_PAUSED) {
            done = "it had not paused the guest: nothing to do";
        } else {
            final long since = paused == PausedFlag.PAUSED ? died : paused;
            done = resumption.run(since + options.resumeLimit().toNanos());
        }
        log.printf(
                "the agent (process %d) died; %s; %.1f ms after its death was seen%n",
                options.agentPid(), done, (System.nanoTime() - died) / 1e6);
        log.flush();
    }
}
