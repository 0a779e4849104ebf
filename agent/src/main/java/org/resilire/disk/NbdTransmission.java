package org.resilire.disk;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection after its negotiation. One worker at a time has the turn to read requests. It carries out itself what is quick,
 * and keeps its turn; before anything that may wait for a device it passes the turn on, so that as many requests are under way
 * as there are workers, and are answered in the order in which they end. No request ever changes threads. Further workers are
 * started when they are first needed, so that a client with one request at a time costs one thread.
 */
final class NbdTransmission {

    private static final Logger LOG = LoggerFactory.getLogger(NbdTransmission.class);

    private final NbdInput input;
    private final SocketChannel channel;
    private final NbdNegotiation.Agreement agreement;
    private final int maxWorkers;
    private final ReentrantLock turn = new ReentrantLock();
    private final ReentrantLock outputLock = new ReentrantLock();

    /** Under the lock {@link #turn}. */
    private final List<Thread> helpers = new ArrayList<>();

    private volatile boolean hasEnded;

    NbdTransmission(
            final NbdInput input,
            final SocketChannel channel,
            final NbdNegotiation.Agreement agreement,
            final int maxWorkers) {
        this.input = input;
        this.channel = channel;
        this.agreement = agreement;
        this.maxWorkers = maxWorkers;
    }

    /** Serves until the client leaves or is thrown out, and all that was under way is answered. */
    void run() throws IOException {
        work();
        boolean wasInterrupted = false;
        for (final Thread helper : allHelpers()) {
            while (helper.isAlive()) {
                try {
                    helper.join();
                } catch (final InterruptedException interrupted) {
                    wasInterrupted = true;
                    channel.close();
                }
            }
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** After the end: whoever has the turn still may have added one before, nobody will after. */
    private List<Thread> allHelpers() {
        turn.lock();
        try {
            return List.copyOf(helpers);
        } finally {
            turn.unlock();
        }
    }

    private void work() {
        try (NbdWorker worker =
                new NbdWorker(input, new NbdReplies(channel, outputLock, agreement.isStructured()), agreement)) {
            while (serveTurn(worker)) {
                // Until the end.
            }
        } catch (final ClosedChannelException closed) {
            hasEnded = true;
        } catch (final IOException failure) {
            end(failure);
        } catch (final RuntimeException | Error failure) {
            LOG.error("A connection ends because of a mistake in the server", failure);
            end(failure);
        }
    }

    private boolean serveTurn(final NbdWorker worker) throws IOException {
        turn.lock();
        try {
            do {
                if (hasEnded) {
                    return false;
                }
                if (!worker.receive()) {
                    hasEnded = true;
                    return false;
                }
                if (!worker.isQuick()) {
                    break;
                }
                worker.complete();
            } while (true);
            if (!hasEnded && !turn.hasQueuedThreads() && helpers.size() + 1 < maxWorkers) {
                addHelper();
            }
        } finally {
            turn.unlock();
        }
        worker.complete();
        return true;
    }

    private void addHelper() {
        final Thread helper = Thread.ofPlatform()
                .daemon()
                .name("nbd-worker-" + (helpers.size() + 1))
                .unstarted(this::work);
        helpers.add(helper);
        helper.start();
    }

    private void end(final Throwable cause) {
        hasEnded = true;
        if (cause instanceof NbdProtocolException || cause instanceof EOFException) {
            LOG.warn("An NBD client is disconnected: {}", cause.getMessage());
        } else if (cause instanceof IOException) {
            LOG.debug("An NBD connection ended: {}", cause.getMessage());
        }
        try {
            // Wakes whoever reads or writes.
            channel.close();
        } catch (final IOException alreadyGone) {
            LOG.debug("Closing an NBD connection", alreadyGone);
        }
    }
}
