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

/** Sends commands to the agent that has a role for a guest on this host, and prints what comes of them. */
final class AgentControl {

    /** Between two lines of an agent that lives; a command that takes longer reports its progress. */
    static final Duration LINE_LIMIT = Duration.ofSeconds(15);

    private final AgentRole role;
    private final CommonOptions common;
    private final CommandSpec spec;

    AgentControl(final AgentRole role, final CommonOptions common, final CommandSpec spec) {
        this.role = role;
        this.common = common;
        this.spec = spec;
    }

    static ObjectNode request(final String command) {
        return JsonMapper.shared().createObjectNode().put("command", command);
    }

    /** As {@link #ask}; the result goes to standard output. */
    ObjectNode send(final ObjectNode request, final Duration lineLimit) throws IOException {
        final ObjectNode answer = ask(request, lineLimit);
        final PrintWriter out = spec.commandLine().getOut();
        out.println(answer.path("result").asString(""));
        out.flush();
        return answer;
    }

    /**
     * Returns the answer; progress goes to standard error.
     *
     * @param lineLimit that the agent may be silent for
     * @throws ConnectException if there is no such agent here, with a hint where it may be
     */
    ObjectNode ask(final ObjectNode request, final Duration lineLimit) throws IOException {
        final PrintWriter err = spec.commandLine().getErr();
        try (ControlClient client = connect()) {
            return client.request(request, lineLimit, line -> {
                err.println(line);
                err.flush();
            });
        }
    }

    private ControlClient connect() throws IOException {
        try {
            return ControlClient.connect(common.directory(role, spec));
        } catch (final ConnectException nobody) {
            final AgentRole other = role == AgentRole.PRIMARY ? AgentRole.BACKUP : AgentRole.PRIMARY;
            if (common.directory(other, spec).liveAgent().isPresent()) {
                final ConnectException elsewhere = new ConnectException(
                        (role == AgentRole.PRIMARY ? "this host keeps the standby of VM " : "this host protects VM ")
                                + common.vm + "; run 'resilire " + spec.name() + "' on the host that "
                                + (role == AgentRole.PRIMARY ? "protects it" : "keeps its standby"));
                elsewhere.initCause(nobody);
                throw elsewhere;
            }
            throw nobody;
        }
    }
}
