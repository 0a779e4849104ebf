package org.resilire.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * An address and a UDP port. Only numeric addresses reach Aeron, so that nothing a peer says can add parameters to a channel.
 *
 * @param host an IPv4 or IPv6 literal without brackets
 * @param port 0 for a port chosen by the system
 */
public record Endpoint(String host, int port) {

    public Endpoint {
        if (!host.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")) {
            throw new IllegalArgumentException("'" + host + "' is not a numeric IP address");
        }
        // What looks like an address and is none would be looked up as a name. (Throws an exception that says so.)
        InetAddress.ofLiteral(host);
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port " + port + " is not in 0..65535");
        }
    }

    /** Parses {@code address:port} or {@code [address]:port}. */
    public static Endpoint parse(final String text) {
        final int colon = text.lastIndexOf(':');
        if (colon <= 0) {
            throw new IllegalArgumentException("'" + text + "' is not ADDRESS:PORT");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        try {
            return new Endpoint(host, Integer.parseInt(text.substring(colon + 1)));
        } catch (final NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' has no numeric port", e);
        }
    }

    /** The local address that the system would use to reach this endpoint, with a port chosen by the system. */
    public Endpoint localAddressTowards() {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(host, port));
            return new Endpoint(socket.getLocalAddress().getHostAddress().replaceFirst("%.*", ""), 0);
        } catch (final IOException | UncheckedIOException e) {
            throw new TransportException("there is no route to " + this + ": " + e.getMessage(), e);
        }
    }

    /** The Aeron channel of this endpoint. */
    public String channel() {
        return "aeron:udp?endpoint=" + this;
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
