package org.resilire.testbed.evaluate.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabProcess;
import tools.jackson.databind.json.JsonMapper;

/** The client as the test bed sees it: a process in the client's namespace that answers. Not thread-safe. */
public final class ClientProcess implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(40);

    private final LabProcess process;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private ClientProcess(final LabProcess process) {
        this.process = process;
    }

    /** Starts it; it is silent until it is told something. */
    public static ClientProcess start(final Lab lab) {
        final ClientProcess client = new ClientProcess(lab.startTalking(
                "client",
                lab.client(),
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        // Small and quick to start: the machine is needed for the guest.
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ClientCommand.class.getName(),
                        Lab.GUEST_ADDRESS)));
        Thread.ofPlatform().name("client-answers").daemon().start(client::readAnswers);
        return client;
    }

    /** An empty answer stands for the end. */
    private void readAnswers() {
        try (BufferedReader output = process.output()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                answers.add(line);
            }
        } catch (final IOException closed) {
            // The same as its end.
        }
        answers.add("");
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

    /** Ends the load, if there is one. */
    public void endLoad() {
        ask(new ClientRequest(ClientRequest.Command.END, null, null));
    }

    public LabProcess process() {
        return process;
    }

    private ClientAnswer ask(final ClientRequest request) {
        try {
            process.input().write(JSON.writeValueAsString(request) + "\n");
            process.input().flush();
            final String line = answers.poll(ANSWER_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            if (line == null || line.isEmpty()) {
                throw new TestbedException("the client did not answer " + request.command() + process.logTail());
            }
            final ClientAnswer answer = JSON.readValue(line, ClientAnswer.class);
            if (answer.error() != null) {
                throw new TestbedException(answer.error());
            }
            return answer;
        } catch (final IOException failure) {
            throw new TestbedException("the client has ended" + process.logTail(), failure);
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new TestbedException("interrupted while waiting for the client", interrupted);
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
