package org.resilire.testbed;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What the programs behind {@code testbed/run} have in common: how they complain, and how they end. */
public final class Program {

    private static final int INTERRUPTED = 130;

    private static volatile boolean isEnding;

    private Program() {}

    /**
     * Runs a command and ends this process with its exit status: 2 if an argument is wrong, 130 if it was told to end.
     *
     * @param failed exit status if the command throws something; its message is shown
     * @param wantsStackTraces asked when it has
     */
    public static void run(
            final Callable<Integer> command,
            final int failed,
            final BooleanSupplier wantsStackTraces,
            final String... arguments) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> isEnding = true, "note-end"));
        System.exit(new CommandLine(command)
                .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
                .setParameterExceptionHandler((failure, given) -> refuse(failure))
                .setExecutionExceptionHandler(
                        (failure, line, parsed) -> explain(failure, line, failed, wantsStackTraces))
                .execute(arguments));
    }

    /** True once this program was told to end: what then fails, fails because of that. Any thread. */
    public static boolean isEnding() {
        return isEnding;
    }

    /** In a line or two; the whole help would hide them. */
    private static int refuse(final ParameterException failure) {
        final CommandLine commandLine = failure.getCommandLine();
        final PrintWriter err = commandLine.getErr();
        err.println(commandLine.getCommandName() + ": " + failure.getMessage());
        UnmatchedArgumentException.printSuggestions(failure, err);
        err.println("'" + commandLine.getCommandName() + " --help' lists the arguments");
        return CommandLine.ExitCode.USAGE;
    }

    private static int explain(
            final Exception failure,
            final CommandLine commandLine,
            final int failed,
            final BooleanSupplier wantsStackTraces) {
        if (isEnding) {
            return INTERRUPTED;
        }
        final String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
        commandLine.getErr().println(commandLine.getCommandName() + ": " + message);
        if (wantsStackTraces.getAsBoolean()) {
            failure.printStackTrace(commandLine.getErr());
        }
        return failed;
    }
}
