package org.resilire.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.resilire.backup.TrialGuest;
import org.resilire.control.AgentRole;
import org.resilire.control.Resources;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "test-failover",
        header = "Prove that the standby of this host works, without a failover.",
        description = {
            "",
            "Run it on the backup's host, while the guest is protected. The agent copies the replica as it is at one checkpoint; protection"
                    + " goes on meanwhile. A second QEMU starts over the copy, cut off from everything: its network devices have nothing at"
                    + " the other end, its disks are those of the same checkpoint, and what it writes to them is thrown away. The guest in it"
                    + " goes on, is looked at, and is thrown away.",
            "",
            "It passes if the guest runs for --for, its processors change its memory, and --check, if given, exits with 0. The copy takes as"
                    + " much of /dev/shm as the guest uses, and is made only where all of its memory has room; with --disk also as much of"
                    + " --state-dir as the guest and its copy change meanwhile.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  resilire test-failover --vm db",
            "  resilire test-failover --vm db --for 20s --check 'grep -q login: \"$RESILIRE_TEST_CONSOLE\"'",
            "",
            "The check's environment: RESILIRE_VM, RESILIRE_TEST_PID (QEMU), RESILIRE_TEST_QMP (a QMP socket for the check alone),",
            "RESILIRE_TEST_CONSOLE (what the guest has written to its first serial port since it goes on).",
        })
final class TestFailoverCommand extends GuestCommand {

    private static final Duration LINE_LIMIT = Duration.ofSeconds(30);

    @Option(
            names = "--for",
            paramLabel = "TIME",
            defaultValue = "5s",
            description = "How long the copy must run. Default: ${DEFAULT-VALUE}.")
    Duration duration;

    @Option(
            names = "--check",
            paramLabel = "COMMAND",
            description = "Shell command that looks at the copy after that time; exits with 0 if all is well.")
    String check;

    @Option(
            names = "--check-timeout",
            paramLabel = "TIME",
            defaultValue = "60s",
            description = "Time that the command may take. Default: ${DEFAULT-VALUE}.")
    Duration checkTimeout;

    @Option(names = "--json", description = "Print the result as a JSON object; units are in the names.")
    boolean json;

    @Override
    public Integer call() throws IOException {
        if (duration.isZero() || checkTimeout.isZero()) {
            throw new ParameterException(spec.commandLine(), "--for and --check-timeout must be longer than 0");
        }
        final ObjectNode report = JsonMapper.shared().createObjectNode();
        try (Resources resources = new Resources()) {
            final ObjectNode copy = agent(AgentRole.BACKUP).ask(AgentControl.request("snapshot"), LINE_LIMIT);
            // Its files are removed in the end: of no other place than the agent names.
            final Path directory = Path.of(copy.required("directory").stringValue());
            resources.add(() -> TrialGuest.removeCopy(directory));
            report.put("epoch", copy.path("epoch").asLong())
                    .put("copyMillis", copy.path("copyMillis").asDouble())
                    .put("copiedPages", copy.path("copiedPages").asLong())
                    .put("earlyPages", copy.path("earlyPages").asLong());
            final List<String> qemu = new ArrayList<>();
            copy.path("qemu").forEach((final JsonNode word) -> qemu.add(word.asString("")));
            final TrialGuest guest = resources.add(TrialGuest.start(
                    qemu,
                    Path.of(copy.path("replica").asString("")),
                    Path.of(copy.path("ram").asString("")),
                    Path.of(copy.path("deviceState").asString("")),
                    disks(copy),
                    directory));
            report.put("loadMillis", guest.loadNanos() / 1e6);
            final TrialGuest.Observation seen = guest.observe(duration);
            report.put("changedPages", seen.changedPages()).put("runState", seen.runState());
            boolean passed = seen.isAlive();
            if (check != null && passed) {
                final int exitCode = guest.check(check, common.vm, checkTimeout);
                report.put("checkExitCode", exitCode);
                passed = exitCode == 0;
            }
            report.put("passed", passed);
            print(report);
            return passed ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    private static Map<Path, Path> disks(final ObjectNode copy) {
        final Map<Path, Path> sockets = new LinkedHashMap<>();
        copy.path("disks")
                .forEach((final JsonNode disk) -> sockets.put(
                        Path.of(disk.path("socket").asString("")),
                        Path.of(disk.path("trialSocket").asString(""))));
        return sockets;
    }

    private void print(final ObjectNode report) {
        final PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(report.toPrettyString());
        } else {
            out.printf(
                    Locale.ROOT,
                    "%s: the guest of epoch %d %s; %d pages copied in %.0f ms beside protection, state loaded in %.1f ms,"
                            + " %d pages changed in %.1f s%s%n",
                    report.path("passed").asBoolean() ? "passed" : "FAILED",
                    report.path("epoch").asLong(),
                    "running".equals(report.path("runState").asString(""))
                            ? "runs"
                            : "is " + report.path("runState").asString(""),
                    report.path("copiedPages").asLong(),
                    report.path("copyMillis").asDouble(),
                    report.path("loadMillis").asDouble(),
                    report.path("changedPages").asLong(),
                    duration.toMillis() / 1e3,
                    report.has("checkExitCode")
                            ? ", the check exited with "
                                    + report.path("checkExitCode").asInt()
                            : "");
        }
        out.flush();
    }
}
