package org.resilire.testbed.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.TalkingProgram;
import tools.jackson.databind.json.JsonMapper;

/** The load as the test bed sees it: a process that answers. Not thread-safe. */
public final class LoadProcess implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration START_LIMIT = Duration.ofSeconds(40);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);
    private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(50);

    /** A connection may wait for its time-out before the load has ended, and verification takes time. */
    private static final Duration FINISH_LIMIT = Duration.ofSeconds(90);

    private static final String RECORDS = "operations";

    private final TalkingProgram program;

    private LoadProcess(final TalkingProgram program) {
        this.program = program;
    }

    /** Starts the clients and waits until all are connected. Their records are among the lab's logs. */
    public static LoadProcess start(final Lab lab, final LoadOptions options) {
        final TalkingProgram program =
                TalkingProgram.start(lab, "load", LoadCommand.class, arguments(options, records(lab)));
        program.awaitAnswer("its start", START_LIMIT);
        return new LoadProcess(program);
    }

    /** Where the clients keep what they were answered. */
    static Path records(final Lab lab) {
        final Path records = lab.logs().resolve(RECORDS);
        try {
            return Files.createDirectories(records);
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static List<String> arguments(final LoadOptions options, final Path records) {
        final List<String> arguments = new ArrayList<>(List.of(
                "--host",
                Lab.GUEST_ADDRESS,
                "--kind",
                options.kind().name(),
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
            arguments.add("--resting");
        }
        return arguments;
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
        return JSON.readValue(program.awaitAnswer(command.name(), ANSWER_LIMIT), LoadProgress.class);
    }

    /**
     * Waits until every connection was answered after that instant, leaving broken ones out; or until all are broken.
     *
     * @return how the load is then
     */
    public LoadProgress awaitAnswersSince(final long instantNs, final Duration limit) {
        final LoadProgress[] last = new LoadProgress[1];
        Await.until(
                () -> {
                    last[0] = progress();
                    return last[0].oldestAcknowledgedNs() - instantNs > 0
                            || last[0].brokenConnections() == last[0].connections();
                },
                limit,
                PROGRESS_INTERVAL,
                () -> "some connections got no answer within " + limit.toSeconds() + " s");
        return last[0];
    }

    /**
     * Ends the load and verifies what it was answered.
     *
     * @param failover what happened meanwhile, or null if nothing did
     */
    public LoadResult finish(final FailoverTimes failover) {
        send(new LoadRequest(LoadRequest.Command.FINISH, failover));
        return JSON.readValue(program.awaitAnswer("FINISH", FINISH_LIMIT), LoadResult.class);
    }

    private void send(final LoadRequest request) {
        program.tell(JSON.writeValueAsString(request));
    }

    @Override
    public void close() {
        program.close();
    }
}
