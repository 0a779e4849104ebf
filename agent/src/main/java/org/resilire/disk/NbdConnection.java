package org.resilire.disk;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A client from its arrival to its end. */
final class NbdConnection implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(NbdConnection.class);

    private final SocketChannel channel;
    private final Collection<NbdExport> exports;
    private final int maxWorkers;
    private final long arrivedNanos;
    private volatile boolean isNegotiating = true;

    NbdConnection(
            final SocketChannel channel,
            final Collection<NbdExport> exports,
            final int maxWorkers,
            final long arrivedNanos) {
        this.channel = channel;
        this.exports = exports;
        this.maxWorkers = maxWorkers;
        this.arrivedNanos = arrivedNanos;
    }

    @Override
    public void run() {
        try (channel) {
            final NbdInput input = new NbdInput(channel);
            final NbdNegotiation.Agreement agreement = new NbdNegotiation(input, channel, exports).negotiate();
            isNegotiating = false;
            if (agreement != null) {
                LOG.debug("An NBD client uses {}", agreement.export().name());
                new NbdTransmission(input, channel, agreement, maxWorkers).run();
            }
        } catch (final ClosedChannelException closed) {
            LOG.debug("An NBD connection was closed by this end");
        } catch (final NbdProtocolException | EOFException refused) {
            LOG.warn("An NBD client is disconnected: {}", refused.getMessage());
        } catch (final IOException failure) {
            LOG.debug("An NBD connection ended: {}", failure.getMessage());
        }
    }

    /** Since when it has taken up room without having asked for anything, in nanoseconds; 0 if it uses a disk. */
    long negotiatingNanos(final long nowNanos) {
        return isNegotiating ? nowNanos - arrivedNanos : 0;
    }

    /** From any thread; what is under way is cut off. */
    void close() {
        try {
            channel.close();
        } catch (final IOException alreadyGone) {
            LOG.debug("Closing an NBD connection", alreadyGone);
        }
    }
}
