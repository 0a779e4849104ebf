package org.resilire.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.ConnectException;
import java.time.Duration;
import org.resilire.control.AgentRole;
import org.resilire.control.ControlClient;
import picocli.CommandLine.Model.CommandSpec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Sends a command to the agent that protects a guest on this host, and prints what comes of it. */
final class PrimaryControl {

    /** Between two lines of an agent that lives; a command that takes longer reports its progress. */
    private static final Duration LINE_LIMIT = Duration.ofSeconds(15);

    private final CommonOptions common;
    private final CommandSpec spec;

    PrimaryControl(final CommonOptions common, final CommandSpec spec) {
        this.common = common;
        this.spec = spec;
    }

    static ObjectNode request(final String command) {
        return JsonMapper.shared().createObjectNode().put("command", command);
    }

    /**
     * Progress goes to standard error, the result to standard output.
     *
     * @throws ConnectException if there is no such agent here, with a hint where it may be
     */
    ObjectNode send(final ObjectNode request) throws IOException {
        final PrintWriter err = spec.commandLine().getErr();
        try (ControlClient client = connect()) {
            final ObjectNode answer = client.request(request, LINE_LIMIT, line -> {
                err.println(line);
                err.flush();
            });
            final PrintWriter out = spec.commandLine().getOut();
            out.println(answer.path("result").asString(""));
            out.flush();
            return answer;
        }
    }

    private ControlClient connect() throws IOException {
        try {
            return ControlClient.connect(common.directory(AgentRole.PRIMARY, spec));
        } catch (final ConnectException nobody) {
            if (common.directory(AgentRole.BACKUP, spec).liveAgent().isPresent()) {
                final ConnectException elsewhere = new ConnectException("this host keeps the standby of VM " + common.vm
                        + "; run 'resilire " + spec.name() + "' on the host that protects it");
                elsewhere.initCause(nobody);
                throw elsewhere;
            }
            throw nobody;
        }
    }
}
