package org.resilire.testbed.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** The program in the client's namespace: reads {@link LoadRequest}s and answers each; ends with its input. */
@Command(
        name = "load",
        mixinStandardHelpOptions = true,
        description = "Clients that remember and check every answer. Started by the test bed.")
public final class LoadCommand implements Callable<Integer> {

    private static final JsonMapper JSON = new JsonMapper();

    @Option(names = "--host", required = true, description = "Address of the guest")
    private String host;

    @Option(names = "--kind", defaultValue = "SERVICES", description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE})")
    private LoadOptions.Kind kind;

    @Option(names = "--connections", defaultValue = "4", description = "Connections to each of them (${DEFAULT-VALUE})")
    private int connections;

    @Option(
            names = "--think-nanos",
            defaultValue = "5000000",
            description = "Pause between an answer and the next request")
    private long thinkNanos;

    @Option(names = "--web-think-nanos", defaultValue = "250000000", description = "The same of the web client")
    private long webThinkNanos;

    @Option(names = "--value-bytes", defaultValue = "64", description = "Length of a value (${DEFAULT-VALUE})")
    private int valueBytes;

    @Option(names = "--resting", description = "Open the connections and wait")
    private boolean isResting;

    @Option(names = "--records", required = true, description = "Directory for the records of acknowledged operations")
    private Path records;

    public static void main(final String[] arguments) {
        System.exit(new CommandLine(new LoadCommand())
                .setExecutionExceptionHandler((failure, commandLine, parsed) -> {
                    commandLine.getErr().println("load: " + failure.getMessage());
                    return CommandLine.ExitCode.SOFTWARE;
                })
                .execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        final PrintStream answers = System.out;
        // A library that prints must not spoil the conversation.
        System.setOut(System.err);
        final LoadOptions options = new LoadOptions(
                kind,
                connections,
                Duration.ofNanos(thinkNanos),
                Duration.ofNanos(webThinkNanos),
                valueBytes,
                isResting);
        try (Load load = Load.open(host, options, records);
                BufferedReader requests =
                        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            load.start();
            answer(answers, load.progress());
            for (String line = requests.readLine(); line != null; line = requests.readLine()) {
                answer(answers, carryOut(load, JSON.readValue(line, LoadRequest.class)));
            }
        }
        return CommandLine.ExitCode.OK;
    }

    private static Object carryOut(final Load load, final LoadRequest request) {
        return switch (request.command()) {
            case PROGRESS -> load.progress();
            case REST -> {
                load.rest(true);
                yield load.progress();
            }
            case GO_ON -> {
                load.rest(false);
                yield load.progress();
            }
            case FINISH -> load.finish(request.failover());
        };
    }

    private static void answer(final PrintStream answers, final Object answer) {
        answers.println(JSON.writeValueAsString(answer));
        answers.flush();
    }
}
