package org.resilire.testbed.evaluate.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/**
 * Many connections, each with one request under way, on one thread. A connection that breaks is made anew and counted; a wrong
 * answer ends the load. {@link #sample()} may be called by one other thread.
 */
final class ClosedLoop implements AutoCloseable {

    private static final int BUFFER_BYTES = 64 * 1024;
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(100);
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int SIGNIFICANT_DIGITS = 3;
    private static final int MAX_REQUESTS = 2_000;

    private final InetSocketAddress guest;
    private final LoadSpec spec;
    private final Selector selector;
    private final List<Connection> connections = new ArrayList<>();
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final ArrayDeque<TimedRequest> requests = new ArrayDeque<>(MAX_REQUESTS);
    private final Recorder latencies = new Recorder(LONGEST_NANOS, SIGNIFICANT_DIGITS);
    private final Thread thread = Thread.ofPlatform().name("closed-loop").unstarted(this::run);
    private final LongAdder receivedBytes = new LongAdder();
    private final LongAdder broken = new LongAdder();
    private final LongAdder lost = new LongAdder();
    private final LongAdder duplicated = new LongAdder();
    private final LongAdder wrong = new LongAdder();
    private volatile boolean isEnding;
    private volatile Exception failure;
    private long sampledAtNs = System.nanoTime();
    private long sampledBytes;
    private long sampledBroken;
    private long sampledLost;
    private long sampledDuplicated;
    private long sampledWrong;

    ClosedLoop(final String host, final LoadSpec spec) throws IOException {
        guest = new InetSocketAddress(host, spec.port());
        this.spec = spec;
        selector = Selector.open();
        for (int number = 0; number < spec.connections(); number++) {
            connections.add(new Connection(number));
        }
    }

    ClosedLoop start() {
        thread.start();
        return this;
    }

    /**
     * Since the last one, or the start.
     *
     * @throws IOException if the load has ended since, or was answered something wrong
     */
    LoadSample sample() throws IOException {
        final Exception ended = failure;
        if (ended != null) {
            throw new IOException("the load has ended: " + ended.getMessage(), ended);
        }
        final Histogram histogram = latencies.getIntervalHistogram();
        final long nowNs = System.nanoTime();
        final long bytes = receivedBytes.sum();
        final long brokenNow = broken.sum();
        final long lostNow = lost.sum();
        final long duplicatedNow = duplicated.sum();
        final long wrongNow = wrong.sum();
        final boolean isEmpty = histogram.getTotalCount() == 0;
        final LoadSample sample = new LoadSample(
                (nowNs - sampledAtNs) / 1e9,
                histogram.getTotalCount(),
                bytes - sampledBytes,
                isEmpty ? null : Double.valueOf(histogram.getValueAtPercentile(50) / 1e6),
                isEmpty ? null : Double.valueOf(histogram.getMean() / 1e6),
                isEmpty ? null : Double.valueOf(histogram.getValueAtPercentile(99) / 1e6),
                brokenNow - sampledBroken,
                lostNow - sampledLost,
                duplicatedNow - sampledDuplicated,
                wrongNow - sampledWrong);
        sampledAtNs = nowNs;
        sampledBytes = bytes;
        sampledBroken = brokenNow;
        sampledLost = lostNow;
        sampledDuplicated = duplicatedNow;
        sampledWrong = wrongNow;
        return sample;
    }

    /** The last that were answered, oldest first. Any thread. */
    List<TimedRequest> lastRequests() {
        synchronized (requests) {
            return List.copyOf(requests);
        }
    }

    private void remember(final TimedRequest request) {
        synchronized (requests) {
            if (requests.size() == MAX_REQUESTS) {
                requests.removeFirst();
            }
            requests.addLast(request);
        }
    }

    private void run() {
        try {
            while (!isEnding) {
                final long nowNs = System.nanoTime();
                long nextNs = nowNs + RETRY_NANOS;
                for (final Connection connection : connections) {
                    nextNs = Math.min(nextNs, connection.advance(nowNs));
                }
                selector.select(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nextNs - nowNs)));
                for (final SelectionKey key : selector.selectedKeys()) {
                    ((Connection) key.attachment()).onReady(key);
                }
                selector.selectedKeys().clear();
            }
        } catch (final IOException | RuntimeException wrong) {
            // A load that has stopped must not look like a guest that is slow.
            failure = wrong;
        }
    }

    private final class Connection {

        private final int number;
        private final ByteBuffer toSend = ByteBuffer.allocate(1024);
        private final ByteBuffer received = ByteBuffer.allocate(2 * BUFFER_BYTES);
        private Dialogue dialogue;
        private SocketChannel channel;
        private SelectionKey key;
        private boolean isConnected;
        private boolean isAwaiting;
        private final SplittableRandom random;
        private long sentNs;
        private long nextNs;

        /** When the last request was to be sent, which is a little before it was. */
        private long dueNs;

        Connection(final int number) {
            this.number = number;
            random = new SplittableRandom(number);
            // Spread, so that they do not all ask at once for ever.
            nextNs =
                    System.nanoTime() + number * TimeUnit.MICROSECONDS.toNanos(spec.thinkMicros()) / spec.connections();
            dueNs = nextNs;
        }

        /** Sends the next request if it is time; returns when there is something to do again. */
        long advance(final long nowNs) {
            if (isAwaiting || (channel != null && !isConnected)) {
                return Long.MAX_VALUE;
            }
            if (nextNs - nowNs > 0) {
                return nextNs;
            }
            try {
                if (channel == null) {
                    connect();
                } else {
                    ask();
                }
                return Long.MAX_VALUE;
            } catch (final IOException broke) {
                fail();
                return nextNs;
            }
        }

        private void connect() throws IOException {
            dialogue = Dialogue.of(spec.protocol(), number);
            channel = SocketChannel.open();
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            key = channel.register(selector, SelectionKey.OP_CONNECT, this);
            isConnected = channel.connect(guest);
            if (isConnected) {
                key.interestOps(SelectionKey.OP_READ);
                ask();
            }
        }

        private void ask() throws IOException {
            toSend.clear();
            dialogue.request(toSend);
            toSend.flip();
            sentNs = System.nanoTime();
            isAwaiting = true;
            // A request is smaller than any send buffer that was emptied by the answer before.
            while (toSend.hasRemaining()) {
                channel.write(toSend);
            }
        }

        void onReady(final SelectionKey readyKey) {
            try {
                if (!readyKey.isValid()) {
                    return;
                }
                if (readyKey.isConnectable() && channel.finishConnect()) {
                    isConnected = true;
                    key.interestOps(SelectionKey.OP_READ);
                    ask();
                } else if (readyKey.isReadable()) {
                    read();
                }
            } catch (final IOException broke) {
                fail();
            }
        }

        private void read() throws IOException {
            scratch.clear();
            final int count = channel.read(scratch);
            if (count < 0) {
                throw new IOException("closed by the guest");
            }
            receivedBytes.add(count);
            scratch.flip();
            if (!isAwaiting) {
                // From a guest that answers again what it had answered.
                duplicated.increment();
                return;
            }
            received.put(scratch);
            received.flip();
            for (int used = dialogue.consume(received); used > 0; used = dialogue.consume(received)) {
                received.position(received.position() + used);
                if (dialogue.isAnswered()) {
                    answered();
                    break;
                }
            }
            if (!isAwaiting && received.hasRemaining()) {
                duplicated.increment();
                received.position(received.limit());
            }
            received.compact();
        }

        private void answered() {
            final long nowNs = System.nanoTime();
            latencies.recordValue(Math.min(nowNs - sentNs, LONGEST_NANOS));
            if (!dialogue.isRight()) {
                wrong.increment();
            }
            remember(new TimedRequest(sentNs, nowNs - sentNs));
            isAwaiting = false;
            final long thinkNanos = TimeUnit.MICROSECONDS.toNanos(spec.thinkMicros());
            nextNs = switch (spec.pace()) {
                case THINKING -> nowNs + thinkNanos;
                case RANDOM -> nowNs + (long) (-Math.log(1 - random.nextDouble()) * thinkNanos);
                case STEADY -> Math.max(nowNs, dueNs + thinkNanos);
            };
            dueNs = nextNs;
        }

        private void fail() {
            broken.increment();
            if (isAwaiting) {
                lost.increment();
            }
            close();
            nextNs = System.nanoTime() + RETRY_NANOS;
        }

        void close() {
            try {
                if (channel != null) {
                    channel.close();
                }
            } catch (final IOException alreadyGone) {
                // Nothing more can be done about it.
            }
            channel = null;
            isConnected = false;
            isAwaiting = false;
            received.clear();
        }
    }

    @Override
    public void close() {
        isEnding = true;
        selector.wakeup();
        try {
            thread.join();
            connections.forEach(Connection::close);
            selector.close();
        } catch (final IOException unclosed) {
            throw new UncheckedIOException(unclosed);
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
