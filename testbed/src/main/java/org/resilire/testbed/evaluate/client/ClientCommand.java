package org.resilire.testbed.evaluate.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.json.JsonMapper;

/** The program in the client's namespace: reads {@link ClientRequest}s and answers each; ends with its input. */
public final class ClientCommand {

    private static final JsonMapper JSON = new JsonMapper();
    private static final int WORKLOAD_PORT = 7000;
    private static final int SOCKET_LIMIT_MILLIS = 15_000;

    private final String host;
    private ClosedLoop load;

    private ClientCommand(final String host) {
        this.host = host;
    }

    /** Started by the test bed with the guest's address. */
    public static void main(final String[] arguments) throws IOException {
        final PrintStream answers = System.out;
        // A library that prints must not spoil the conversation.
        System.setOut(System.err);
        final ClientCommand client = new ClientCommand(arguments[0]);
        try (BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = requests.readLine(); line != null; line = requests.readLine()) {
                answers.println(JSON.writeValueAsString(client.answer(JSON.readValue(line, ClientRequest.class))));
                answers.flush();
            }
        }
        client.endLoad();
    }

    private ClientAnswer answer(final ClientRequest request) {
        try {
            return switch (request.command()) {
                case GUEST -> ClientAnswer.failed(tellGuest(request.guest()));
                case START -> {
                    endLoad();
                    load = new ClosedLoop(host, request.load()).start();
                    yield ClientAnswer.done();
                }
                case SAMPLE -> new ClientAnswer(null, runningLoad().sample(), null);
                case REQUESTS -> new ClientAnswer(null, null, runningLoad().lastRequests());
                case END -> {
                    endLoad();
                    yield ClientAnswer.done();
                }
            };
        } catch (final IOException failure) {
            return ClientAnswer.failed(failure.toString());
        }
    }

    private ClosedLoop runningLoad() throws IOException {
        if (load == null) {
            throw new IOException("there is no load");
        }
        return load;
    }

    private void endLoad() {
        if (load != null) {
            load.close();
            load = null;
        }
    }

    /** Null if the guest agrees. */
    private String tellGuest(final String line) throws IOException {
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(SOCKET_LIMIT_MILLIS);
            socket.connect(new InetSocketAddress(host, WORKLOAD_PORT), SOCKET_LIMIT_MILLIS);
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
            final String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
            return answer.equals("ok") ? null : "the guest answered '" + line + "' with '" + answer + "'";
        }
    }
}
