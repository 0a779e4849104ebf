package org.resilire.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.resilire.control.AgentCountersReader;
import org.resilire.control.AgentProcess;
import org.resilire.control.AgentRole;
import org.resilire.control.RunDirectory;
import org.resilire.control.StatusReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

@Command(
        name = "status",
        header = "Show what the agents of a guest on this host are doing.",
        description = {"", "Reads the agents' mapped counters; it does not disturb them and works after they died.", ""
        },
        footerHeading = "%nExamples:%n",
        footer = {"  resilire status --vm db", "  resilire status --vm db --json | jq '.[0].pauseMillisP50'"})
final class StatusCommand extends GuestCommand {

    @Option(
            names = "--json",
            description = "As a JSON array with an object an agent; units are in the names, null means unknown.")
    boolean json;

    @Override
    public Integer call() throws IOException {
        final List<StatusReport> reports = new ArrayList<>();
        for (final AgentRole role : AgentRole.values()) {
            final RunDirectory directory = common.directory(role, spec);
            if (Files.exists(directory.countersFile())) {
                reports.add(StatusReport.of(AgentCountersReader.open(directory), System.currentTimeMillis()));
            }
        }
        final var out = spec.commandLine().getOut();
        if (reports.isEmpty()) {
            spec.commandLine()
                    .getErr()
                    .println("resilire: no agent of VM '" + common.vm + "' has run here (looked in " + common.runDir
                            + ")");
            return ExitCode.AGENT;
        }
        if (json) {
            final ArrayNode array = JsonMapper.shared().createArrayNode();
            reports.forEach(report -> array.add(report.toJson()));
            out.println(array.toPrettyString());
        } else {
            reports.forEach(report -> out.println(report.toText()));
        }
        out.flush();
        final boolean anyAlive = reports.stream().anyMatch(report -> report.process() == AgentProcess.RUNNING);
        return anyAlive ? ExitCode.OK : ExitCode.AGENT;
    }
}
