package org.resilire.backup;

import java.util.Optional;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.disk.DiskIdentity;
import org.resilire.transport.Endpoint;
import org.resilire.wire.sbe.HelloDecoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;

/** Takes a greeting off the wire. Whatever does not fit into the message, or is no address to answer to, is no greeting. */
final class HelloReader {

    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final HelloDecoder hello = new HelloDecoder();

    Optional<HelloReceived> read(final DirectBuffer buffer, final int offset, final int length) {
        if (length < MessageHeaderDecoder.ENCODED_LENGTH + HelloDecoder.BLOCK_LENGTH) {
            return Optional.empty();
        }
        try {
            // The decoder's strings are bounded by this view, whatever lengths the message claims.
            final DirectBuffer message = new UnsafeBuffer(buffer, offset, length);
            hello.wrapAndApplyHeader(message, 0, header);
            final HelloReceived received = new HelloReceived(
                    hello.protocolVersion(),
                    hello.pageBytes(),
                    hello.sessionId(),
                    hello.generation(),
                    hello.ramBytes(),
                    hello.heartbeatIntervalMicros() * 1000,
                    hello.firstEpoch(),
                    hello.vmName(),
                    Endpoint.parse(hello.replyEndpoint()),
                    hello.qemuVersion(),
                    hello.deviceInventory(),
                    DiskIdentity.parse(hello.disks()));
            return Optional.of(received)
                    .filter(greeting -> greeting.replyEndpoint().port() != 0);
        } catch (final IndexOutOfBoundsException | IllegalArgumentException | IllegalStateException e) {
            return Optional.empty();
        }
    }
}
