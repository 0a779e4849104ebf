package org.resilire.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.resilire.role.AgentFleet;
import org.resilire.role.HostAgent;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "run",
        header = "Run the agents of several guests in one process, as the configuration file says.",
        description = {
            "",
            "Takes each table [vm.NAME] with role = \"protect\" or role = \"standby\" and runs what 'resilire protect --vm NAME' or"
                    + " 'resilire standby --vm NAME' would, with the same options and run directories: all other commands work as they do"
                    + " with an agent of its own. What befalls one guest's agent does not concern the others; one that fails is started again."
                    + " Ctrl-C ends all of them in order.",
            "",
            "Every guest needs a UDP port, sockets and files of its own. For more than a few guests give the JVM more memory:"
                    + " RESILIRE_JVM_OPTIONS=-Xmx1g.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {"  resilire run", "  resilire run --config /etc/resilire/rack7.toml --vm db --vm web"})
final class RunCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Option(
            names = "--vm",
            paramLabel = "NAME",
            description = "Only this guest; can be given several times. Default: all with a role.")
    List<String> guests = List.of();

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration file. Default: /etc/resilire/resilire.toml.")
    Path config = ConfigurationFile.DEFAULT;

    @Option(names = "--verbose", description = "Log more, and show stack traces.")
    boolean verbose;

    @Override
    public Integer call() throws IOException {
        final Map<String, String> roles = roles();
        final Map<String, Supplier<AgentFleet.Member>> agents = new TreeMap<>();
        // All of them once, before any begins: what cannot be is said at once.
        roles.forEach((name, role) -> agent(name, role));
        roles.forEach((name, role) -> agents.put(name, () -> member(agent(name, role))));
        final AgentFleet fleet = new AgentFleet(agents);
        return new Termination(fleet::stop).during(fleet::run);
    }

    private Map<String, String> roles() {
        final Map<String, String> found = ConfigurationFile.read(config).values(ConfigurationDefaults.ROLE);
        final Map<String, String> wanted = new TreeMap<>(found);
        if (!guests.isEmpty()) {
            wanted.keySet().retainAll(guests);
        }
        for (final String guest : guests) {
            if (!found.containsKey(guest)) {
                throw new ParameterException(
                        spec.commandLine(),
                        config + " has no table [vm." + guest + "] with role = \"protect\" or \"standby\"");
            }
        }
        if (wanted.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), config + " has no table [vm.NAME] with role = \"protect\" or \"standby\"");
        }
        wanted.forEach((name, role) -> {
            if (!role.equals("protect") && !role.equals("standby")) {
                throw new ParameterException(
                        spec.commandLine(),
                        config + ": role of [vm." + name + "] must be \"protect\" or \"standby\", not \"" + role
                                + "\"");
            }
        });
        return wanted;
    }

    private HostAgent agent(final String name, final String role) {
        final String[] arguments = {role, "--vm", name, "--config", config.toString()};
        final CommandLine commands = Resilire.commands();
        commands.setDefaultValueProvider(ConfigurationDefaults.of(arguments, commands));
        try {
            final CommandLine command =
                    commands.parseArgs(arguments).subcommand().commandSpec().commandLine();
            return ((AgentCommand) command.getCommand()).agent();
        } catch (final ParameterException e) {
            throw new ParameterException(spec.commandLine(), "[vm." + name + "]: " + e.getMessage(), e);
        }
    }

    private static AgentFleet.Member member(final HostAgent agent) {
        return new AgentFleet.Member() {
            @Override
            public int run() throws IOException {
                return ExitCode.of(agent.run());
            }

            @Override
            public void stop(final Duration limit) throws InterruptedException {
                agent.stop(limit);
            }
        };
    }
}
