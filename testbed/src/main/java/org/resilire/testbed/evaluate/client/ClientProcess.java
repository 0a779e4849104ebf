package org.resilire.testbed.evaluate.client;

import java.time.Duration;
import java.util.List;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.TalkingProgram;
import tools.jackson.databind.json.JsonMapper;

/** The client as the test bed sees it: a process in the client's namespace that answers. Not thread-safe. */
public final class ClientProcess implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(40);

    private final TalkingProgram program;

    private ClientProcess(final TalkingProgram program) {
        this.program = program;
    }

    /** Starts it; it is silent until it is told something. */
    public static ClientProcess start(final Lab lab) {
        return new ClientProcess(TalkingProgram.start(lab, "client", ClientCommand.class, List.of(Lab.GUEST_ADDRESS)));
    }

    /**
     * Passes a line to the guest's workload service.
     *
     * @throws TestbedException if the guest refuses, or cannot be reached
     */
    public void tellGuest(final String line) {
        ask(new ClientRequest(ClientRequest.Command.GUEST, line, null));
    }

    /** Starts a load, in place of the one before. */
    public void start(final LoadSpec load) {
        ask(new ClientRequest(ClientRequest.Command.START, null, load));
    }

    /** What the load did since the last sample. */
    public LoadSample sample() {
        return ask(new ClientRequest(ClientRequest.Command.SAMPLE, null, null)).sample();
    }

    /** The last requests that were answered, oldest first. */
    public List<TimedRequest> lastRequests() {
        return ask(new ClientRequest(ClientRequest.Command.REQUESTS, null, null))
                .requests();
    }

    /** Ends the load, if there is one. */
    public void endLoad() {
        ask(new ClientRequest(ClientRequest.Command.END, null, null));
    }

    private ClientAnswer ask(final ClientRequest request) {
        program.tell(JSON.writeValueAsString(request));
        final ClientAnswer answer =
                JSON.readValue(program.awaitAnswer(request.command().name(), ANSWER_LIMIT), ClientAnswer.class);
        if (answer.error() != null) {
            throw new TestbedException(answer.error());
        }
        return answer;
    }

    @Override
    public void close() {
        program.close();
    }
}
