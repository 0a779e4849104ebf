package org.resilire.cli;

import java.nio.file.Path;
import org.resilire.control.AgentRole;
import org.resilire.control.RunDirectory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which agent a command is about. */
final class CommonOptions {

    @Option(
            names = "--vm",
            required = true,
            paramLabel = "NAME",
            description = "Name of the virtual machine, the same on both hosts.")
    String vm;

    @Option(
            names = "--run-dir",
            paramLabel = "DIR",
            defaultValue = "/run/resilire",
            description = "Where running agents are found: counters, control socket. Default: ${DEFAULT-VALUE}.")
    Path runDir;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "TOML file with a table [vm.NAME] whose keys are option names without dashes; options override it."
                            + " Default: /etc/resilire/resilire.toml if it exists.")
    Path config;

    @Option(names = "--verbose", description = "Log more, and show stack traces.")
    boolean verbose;

    RunDirectory directory(final AgentRole role, final CommandSpec spec) {
        try {
            return RunDirectory.under(runDir, vm, role);
        } catch (final IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
