package org.resilire.testbed.load;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Asks the guest's web server for a page, which must always be the same, and for the number of the request on this
 * connection, which must rise by one each time. A plain socket, so that nobody opens another connection unseen.
 */
final class HttpConnection extends LoadConnection {

    private static final Pattern COUNT = Pattern.compile("connection (\\d+) request (\\d+) at .*", Pattern.DOTALL);
    private static final int MAX_BODY_BYTES = 1 << 20;

    private final String host;
    private final Socket socket;
    private final InputStream input;
    private final String expectedPage;
    private final long connectionNumber;

    private long requests;
    private long pages;
    private long counts;
    private boolean isCountNext;

    private HttpConnection(
            final String host,
            final Socket socket,
            final LoadPace pace,
            final Duration thinkTime,
            final OperationLog log)
            throws IOException {
        super("http", pace, thinkTime, log);
        this.host = host;
        this.socket = socket;
        input = new BufferedInputStream(socket.getInputStream());
        expectedPage = get("/");
        connectionNumber = Long.parseLong(count().group(1));
    }

    static HttpConnection open(
            final String host, final int port, final LoadPace pace, final Duration thinkTime, final OperationLog log) {
        final Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(RedisConnection.SOCKET_TIMEOUT_MILLIS);
            socket.connect(new InetSocketAddress(host, port), RedisConnection.SOCKET_TIMEOUT_MILLIS);
            return new HttpConnection(host, socket, pace, thinkTime, log);
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Override
    void operate() {
        try {
            if (isCountNext) {
                getCount();
            } else {
                getPage();
            }
            isCountNext = !isCountNext;
        } catch (final IOException broken) {
            throw new UncheckedIOException(broken.getMessage(), broken);
        }
    }

    private void getPage() throws IOException {
        final long sentNs = System.nanoTime();
        if (!get("/").equals(expectedPage)) {
            recordRewind();
        }
        acknowledge(new Operation(Operation.Kind.GET_PAGE, ++pages, sentNs, System.nanoTime(), ""));
    }

    private void getCount() throws IOException {
        final long sentNs = System.nanoTime();
        final Matcher answer = count();
        final long acknowledgedNs = System.nanoTime();
        if (Long.parseLong(answer.group(1)) != connectionNumber || Long.parseLong(answer.group(2)) != requests) {
            recordRewind();
        }
        acknowledge(new Operation(
                Operation.Kind.GET_COUNT, ++counts, sentNs, acknowledgedNs, answer.group(1) + "/" + answer.group(2)));
    }

    private Matcher count() throws IOException {
        final String answer = get("/count");
        final Matcher matcher = COUNT.matcher(answer);
        if (!matcher.matches()) {
            throw new IOException("the web server answered /count with: " + answer.strip());
        }
        return matcher;
    }

    private String get(final String path) throws IOException {
        requests++;
        final String request = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        final String status = readLine();
        if (!status.startsWith("HTTP/1.1 200 ")) {
            throw new IOException("the web server answered " + path + " with: " + status);
        }
        int lengthBytes = -1;
        for (String header = readLine(); !header.isEmpty(); header = readLine()) {
            final String lower = header.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                lengthBytes =
                        Integer.parseInt(lower.substring(lower.indexOf(':') + 1).strip());
            } else if (lower.equals("connection: close")) {
                throw new IOException("the web server closes the connection");
            }
        }
        if (lengthBytes < 0 || lengthBytes > MAX_BODY_BYTES) {
            throw new IOException("the web server's answer to " + path + " has no length that can be");
        }
        final byte[] body = input.readNBytes(lengthBytes);
        if (body.length < lengthBytes) {
            throw new IOException("the web server closed the connection within an answer");
        }
        return new String(body, StandardCharsets.UTF_8);
    }

    private String readLine() throws IOException {
        final StringBuilder line = new StringBuilder();
        for (int next = input.read(); next != '\n'; next = input.read()) {
            if (next < 0) {
                throw new IOException("the web server closed the connection");
            }
            if (next != '\r') {
                line.append((char) next);
            }
        }
        return line.toString();
    }

    /** The server numbers its connections, and it is asked once more over this one. */
    @Override
    boolean isSameConnection() {
        try {
            final Matcher answer = count();
            return Long.parseLong(answer.group(1)) == connectionNumber && Long.parseLong(answer.group(2)) == requests;
        } catch (final IOException broken) {
            throw new UncheckedIOException(broken.getMessage(), broken);
        }
    }

    @Override
    public void close() {
        super.close();
        try {
            socket.close();
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
