package org.resilire.benchmarks.transport;

import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.agrona.DirectBuffer;
import org.agrona.IoUtil;
import org.agrona.concurrent.IdleStrategy;
import org.resilire.transport.Endpoint;
import org.resilire.transport.Streams;
import org.resilire.transport.Transport;
import org.resilire.transport.TransportConfig;

/**
 * Two transports as two agents would have them, each with a driver of its own, over UDP on the loopback interface. The near side
 * belongs to the calling thread; the far side has its own and sends short messages back, as acknowledgements are.
 */
final class Loopback implements AutoCloseable {

    /** Messages up to this come back. */
    static final int LONGEST_ECHO_BYTES = 64;

    private static final int FRAGMENT_LIMIT = 32;

    /** A quarter of the interval between an agent's signs of life. */
    private static final long LONGEST_WAIT_NANOS = 5_000_000L;

    private static final Endpoint ANY = new Endpoint("127.0.0.1", 0);

    private final Path directory;
    private final Transport near;
    private final ExclusivePublication publication;
    private final Subscription replies;
    private final Thread farThread;
    private long replyCount;
    private final FragmentHandler onReply = (buffer, offset, length, header) -> replyCount++;
    private volatile boolean ended;
    private volatile Endpoint farEndpoint;
    private volatile RuntimeException failure;

    Loopback() {
        try {
            directory = Files.createTempDirectory(Path.of("/dev/shm"), "resilire-benchmark-");
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
        near = Transport.start(TransportConfig.defaults(), directory.resolve("near"));
        replies = near.listen(ANY, Streams.REPLY);
        final Endpoint replyEndpoint = near.boundEndpoint(replies);
        farThread = Thread.ofPlatform().daemon().name("far").start(() -> runFar(replyEndpoint));
        while (farEndpoint == null) {
            throwIfFailed();
            near.doWork();
            Thread.onSpinWait();
        }
        publication = near.connect(farEndpoint, Streams.REPLICATION);
        while (!publication.isConnected() || !replies.isConnected()) {
            throwIfFailed();
            near.doWork();
        }
    }

    private void runFar(final Endpoint replyEndpoint) {
        try (Transport far = Transport.start(TransportConfig.defaults(), directory.resolve("far"))) {
            final Subscription subscription = far.listen(ANY, Streams.REPLICATION);
            final Endpoint bound = far.boundEndpoint(subscription);
            final ExclusivePublication answers = far.connect(replyEndpoint, Streams.REPLY);
            farEndpoint = bound;
            final FragmentHandler assembler = new FragmentAssembler((buffer, offset, length, header) -> {
                if (length <= LONGEST_ECHO_BYTES) {
                    answer(far, answers, buffer, offset, length);
                }
            });
            // As the link's thread does.
            final IdleStrategy idle = far.idleStrategy(LONGEST_WAIT_NANOS);
            while (!ended) {
                idle.idle(far.doWork() + subscription.poll(assembler, FRAGMENT_LIMIT));
            }
        } catch (final RuntimeException e) {
            failure = e;
        }
    }

    private void answer(
            final Transport far,
            final ExclusivePublication answers,
            final DirectBuffer buffer,
            final int offset,
            final int length) {
        while (!ended && answers.offer(buffer, offset, length) < 0) {
            far.doWork();
        }
    }

    private void throwIfFailed() {
        if (failure != null) {
            throw failure;
        }
    }

    /** Sends a message, waiting for as long as the link takes no more. */
    void send(final DirectBuffer message, final int lengthBytes) {
        while (publication.offer(message, 0, lengthBytes) < 0) {
            near.doWork();
        }
        near.doWork();
    }

    /** Sends a short message and waits for its echo. */
    long roundTrip(final DirectBuffer message, final int lengthBytes) {
        final long wanted = replyCount + 1;
        send(message, lengthBytes);
        while (replyCount < wanted) {
            near.doWork();
            replies.poll(onReply, FRAGMENT_LIMIT);
        }
        return replyCount;
    }

    @Override
    public void close() {
        ended = true;
        try {
            farThread.join();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        near.close();
        IoUtil.delete(directory.toFile(), true);
    }
}
