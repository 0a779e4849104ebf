package org.resilire.testbed.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabProcess;
import tools.jackson.databind.json.JsonMapper;

/** The load as the test bed sees it: a process that answers. Not thread-safe. */
public final class LoadProcess implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration START_LIMIT = Duration.ofSeconds(40);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);

    /** A connection may wait for its time-out before the load has ended, and verification takes time. */
    private static final Duration FINISH_LIMIT = Duration.ofSeconds(90);

    private final LabProcess process;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private LoadProcess(final LabProcess process) {
        this.process = process;
    }

    /** Starts the clients and waits until all are connected. Their records are among the lab's logs. */
    public static LoadProcess start(final Lab lab, final LoadOptions options) {
        final LabProcess process = lab.startTalking("load", lab.client(), command(options, records(lab)));
        final LoadProcess load = new LoadProcess(process);
        Thread.ofPlatform().name("load-answers").daemon().start(load::readAnswers);
        load.awaitAnswer("its start", START_LIMIT);
        return load;
    }

    private static Path records(final Lab lab) {
        final Path records = lab.logs().resolve("operations");
        try {
            return Files.createDirectories(records);
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static List<String> command(final LoadOptions options, final Path records) {
        final List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // Small and quick to start: the machine is needed for the guest.
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                LoadCommand.class.getName(),
                "--host",
                Lab.GUEST_ADDRESS,
                "--connections",
                Integer.toString(options.connections()),
                "--think-nanos",
                Long.toString(options.thinkTime().toNanos()),
                "--web-think-nanos",
                Long.toString(options.webThinkTime().toNanos()),
                "--value-bytes",
                Integer.toString(options.valueBytes()),
                "--records",
                records.toString()));
        if (options.isResting()) {
            command.add("--resting");
        }
        return command;
    }

    /** An empty answer stands for the end. */
    private void readAnswers() {
        try (BufferedReader output = process.output()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                answers.add(line);
            }
        } catch (final IOException closed) {
            // The same as its end.
        }
        answers.add("");
    }

    public LoadProgress progress() {
        return ask(LoadRequest.Command.PROGRESS);
    }

    /** Falls silent, with its connections open. */
    public LoadProgress rest() {
        return ask(LoadRequest.Command.REST);
    }

    public LoadProgress goOn() {
        return ask(LoadRequest.Command.GO_ON);
    }

    private LoadProgress ask(final LoadRequest.Command command) {
        send(new LoadRequest(command, null));
        return JSON.readValue(awaitAnswer(command.name(), ANSWER_LIMIT), LoadProgress.class);
    }

    /**
     * Ends the load and verifies what it was answered.
     *
     * @param failover what happened meanwhile, or null if nothing did
     */
    public LoadResult finish(final FailoverTimes failover) {
        send(new LoadRequest(LoadRequest.Command.FINISH, failover));
        return JSON.readValue(awaitAnswer("FINISH", FINISH_LIMIT), LoadResult.class);
    }

    private void send(final LoadRequest request) {
        try {
            process.input().write(JSON.writeValueAsString(request) + "\n");
            process.input().flush();
        } catch (final IOException failure) {
            throw new TestbedException("the load has ended" + process.logTail(), failure);
        }
    }

    private String awaitAnswer(final String to, final Duration limit) {
        try {
            final String answer = answers.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (answer == null) {
                throw new TestbedException(
                        "the load did not answer " + to + " within " + limit.toSeconds() + " s" + process.logTail());
            }
            if (answer.isEmpty()) {
                throw new TestbedException("the load has ended" + process.logTail());
            }
            return answer;
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new TestbedException("interrupted while waiting for the load", interrupted);
        }
    }

    public LabProcess process() {
        return process;
    }

    @Override
    public void close() {
        process.close();
    }
}
