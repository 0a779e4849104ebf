package org.resilire.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.resilire.backup.ReplicaUnusableException;
import org.resilire.control.AgentAlreadyRunsException;
import org.resilire.control.ControlException;
import org.resilire.control.CountersFileException;
import org.resilire.disk.DiskImageException;
import org.resilire.failover.DamagedRecordException;
import org.resilire.guest.AttachException;
import org.resilire.guest.GuestException;
import org.resilire.guest.tracking.TrackerChoice;
import org.resilire.linux.LinuxException;
import org.resilire.transport.Endpoint;
import org.resilire.transport.TransportException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** The command line: one command per host and purpose. Errors are one line and an exit code; {@code --verbose} shows the rest. */
@Command(
        name = "resilire",
        header = "Keeps a virtual machine running when its host dies.",
        description = {"", "One agent protects a guest on its host, another keeps a standby of it elsewhere.", ""},
        mixinStandardHelpOptions = true,
        scope = CommandLine.ScopeType.INHERIT,
        versionProvider = Resilire.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ProtectCommand.class,
            StandbyCommand.class,
            StatusCommand.class,
            VerifyCommand.class,
            PauseCommand.class,
            ResumeCommand.class,
            DetachCommand.class,
            SetCommand.class,
            FailoverCommand.class,
            SwitchoverCommand.class,
            TestFailoverCommand.class,
            RunCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done, or ended in order",
            "1:it did not come true: memories differ, the guest ended, no failover",
            "2:unknown or missing option, or a value that cannot be",
            "3:the configuration file cannot be used",
            "4:this host lacks something: a capability, a kernel feature, a device, a disk image, a free port",
            "5:the guest cannot be protected as it was started",
            "6:the other agent refused, or runs the guest itself",
            "7:no such agent runs here, or one runs already",
            "70:a bug",
            "130:ended by Ctrl-C before it had begun"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  resilire standby --vm db …      on the host that is to take over, first",
            "  resilire protect --vm db …      on the host that runs the guest",
            "  resilire status --vm db         on either",
            "  resilire COMMAND --help         for the options of each"
        })
public final class Resilire {

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            final String version = Resilire.class.getPackage().getImplementationVersion();
            return new String[] {"resilire " + (version == null ? "(from the source tree)" : version)};
        }
    }

    private Resilire() {}

    public static void main(final String[] arguments) {
        if (List.of(arguments).contains("--verbose")) {
            // Read by the logging configuration, which is loaded with the first logger.
            System.setProperty("resilire.log.level", "DEBUG");
        }
        System.exit(execute(arguments));
    }

    static int execute(final String... arguments) {
        final CommandLine commands = commands();
        try {
            commands.setDefaultValueProvider(ConfigurationDefaults.of(arguments, commands));
        } catch (final ConfigurationException e) {
            return report(commands, e.getMessage(), ExitCode.CONFIGURATION);
        }
        return commands.execute(arguments);
    }

    static CommandLine commands() {
        return new CommandLine(new Resilire())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .registerConverter(Duration.class, new DurationConverter())
                .registerConverter(Endpoint.class, new EndpointConverter())
                .registerConverter(TrackerChoice.class, new TrackerConverter())
                .setParameterExceptionHandler(Resilire::onBadParameter)
                .setExecutionExceptionHandler(Resilire::onFailure);
    }

    private static int onBadParameter(final ParameterException e, final String[] arguments) {
        final CommandLine command = e.getCommandLine();
        final List<String> unmatched = command.getUnmatchedArguments();
        final boolean hasCommands = !command.getSubcommands().isEmpty();
        if (hasCommands && !unmatched.isEmpty() && !unmatched.getFirst().startsWith("-")) {
            final String hint = Suggestions.nearest(
                            unmatched.getFirst(), command.getSubcommands().keySet())
                    .map(name -> "; did you mean " + name + "?")
                    .orElse("; see " + command.getCommandSpec().qualifiedName() + " --help");
            return report(command, "unknown command '" + unmatched.getFirst() + "'" + hint, ExitCode.USAGE);
        }
        final Optional<String> unknown = unmatched.stream()
                .filter(argument -> argument.startsWith("-"))
                .map(argument -> argument.replaceFirst("=.*", ""))
                .findFirst();
        if (unknown.isPresent()) {
            return report(command, "unknown option " + unknown.get() + hint(unknown.get(), command), ExitCode.USAGE);
        }
        return report(
                command,
                e.getMessage() + " (see " + command.getCommandSpec().qualifiedName() + " --help)",
                ExitCode.USAGE);
    }

    private static String hint(final String written, final CommandLine command) {
        final List<String> known = command.getCommandSpec().options().stream()
                .filter(option -> !option.hidden())
                .flatMap(option -> Arrays.stream(option.names()))
                .toList();
        return Suggestions.nearest(written, known)
                .map(name -> "; did you mean " + name + "?")
                .orElse("; see " + command.getCommandSpec().qualifiedName() + " --help");
    }

    private static int onFailure(final Exception e, final CommandLine command, final ParseResult parsed) {
        if (parsed.originalArgs().contains("--verbose")) {
            e.printStackTrace(command.getErr());
        }
        final int code = switch (e) {
            case ConfigurationException configuration -> ExitCode.CONFIGURATION;
            case AttachException attach -> exitCodeOf(attach);
            case GuestException guest -> ExitCode.GUEST;
            case LinuxException linux -> ExitCode.HOST;
            case DiskImageException disk -> ExitCode.HOST;
            case DamagedRecordException record -> ExitCode.HOST;
            case TransportException transport -> ExitCode.HOST;
            case ReplicaUnusableException replica -> ExitCode.HOST;
            case AgentAlreadyRunsException running -> ExitCode.AGENT;
            case CountersFileException counters -> ExitCode.AGENT;
            case ControlException control -> ExitCode.FAILED;
            case ConnectException nobody -> ExitCode.AGENT;
            case IOException io -> ExitCode.HOST;
            case UncheckedIOException io -> ExitCode.HOST;
            default -> ExitCode.INTERNAL;
        };
        final String message = code == ExitCode.INTERNAL
                ? "internal error: " + e + "; --verbose shows where. Please report it."
                : message(e);
        return report(command, message, code);
    }

    /** Java's own exceptions about files mostly say which file, and nothing else. */
    private static String message(final Exception e) {
        if (e instanceof FileSystemException file && file.getReason() == null) {
            return file.getFile() + ": "
                    + switch (file) {
                        case AccessDeniedException denied -> "permission denied";
                        case NoSuchFileException missing -> "no such file or directory";
                        case FileAlreadyExistsException other -> "is there already, and not what is needed there";
                        default -> file.getClass().getSimpleName();
                    };
        }
        return String.valueOf(e.getMessage());
    }

    private static int exitCodeOf(final AttachException e) {
        return switch (e.problem()) {
            case TRACKER_UNAVAILABLE, STATE_DIRECTORY_UNUSABLE -> ExitCode.HOST;
            case ALREADY_TRACKED -> ExitCode.AGENT;
            default -> ExitCode.GUEST;
        };
    }

    private static int report(final CommandLine command, final String message, final int exitCode) {
        final PrintWriter err = command.getErr();
        err.println("resilire: " + message.lines().findFirst().orElse("failed"));
        err.flush();
        return exitCode;
    }
}
