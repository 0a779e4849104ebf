package org.resilire.testbed;

import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What every command of {@code testbed/run} has, to be mixed in: its help looks alike, and it complains alike. */
@Command(
        sortOptions = false,
        usageHelpAutoWidth = true,
        footerHeading = "%nExamples:%n",
        exitCodeListHeading = "%nExit status:%n")
public class ProgramOptions {

    /** Behind all others. */
    private static final int LAST = 1_000;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            order = LAST,
            description = "Show this help.")
    private boolean isHelpWanted;

    /** Where it talks to people. */
    public final PrintWriter out() {
        return command.commandLine().getOut();
    }

    /** To be thrown for an argument that is wrong. */
    public final ParameterException wrong(final String message) {
        return new ParameterException(command.commandLine(), message);
    }

    /**
     * Checks a value.
     *
     * @throws ParameterException if it is smaller
     */
    public final void requireAtLeast(final String option, final int value, final int least) {
        if (value < least) {
            throw wrong(option + " must be at least " + least);
        }
    }
}
