package org.resilire.transport;

import io.aeron.driver.ReceiveChannelEndpointSupplier;
import io.aeron.driver.SendChannelEndpointSupplier;
import io.aeron.driver.media.ReceiveChannelEndpoint;
import io.aeron.driver.media.SendChannelEndpoint;
import org.agrona.concurrent.status.AtomicCounter;

/** A media driver's endpoints, each of whose sockets wakes the thread that drives it. */
final class WatchedEndpoints {

    private WatchedEndpoints() {}

    /** Of publications: status messages and requests for what was lost come here. */
    static SendChannelEndpointSupplier senders(final SocketIdleStrategy sockets) {
        return (channel, status, context) -> new SendChannelEndpoint(channel, status, context) {
            @Override
            public void openDatagramChannel(final AtomicCounter statusIndicator) {
                super.openDatagramChannel(statusIndicator);
                sockets.watch(receiveDatagramChannel());
            }
        };
    }

    /** Of subscriptions. */
    static ReceiveChannelEndpointSupplier receivers(final SocketIdleStrategy sockets) {
        return (channel, dispatcher, status, context) ->
                new ReceiveChannelEndpoint(channel, dispatcher, status, context) {
                    @Override
                    public void openDatagramChannel(final AtomicCounter statusIndicator) {
                        super.openDatagramChannel(statusIndicator);
                        sockets.watch(receiveDatagramChannel());
                    }
                };
    }
}
