package org.resilire.transport;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.exceptions.AeronException;
import io.aeron.exceptions.RegistrationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.EpochClock;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SystemEpochClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Aeron for one agent: an embedded media driver (or a client of one that runs already) whose work is done by whichever
 * thread runs this as its {@link Agent}. All publications and subscriptions are made and used on that thread; before it
 * starts, the constructing thread may make them.
 */
public final class Transport implements Agent, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Transport.class);

    /**
     * An embedded driver and its client do their work on one thread: if one is late, so is the other, and neither is dead. Aeron
     * tells by the wall clock, which a host that stood still (or whose clock was set) sees leap; what it then closes stays closed.
     */
    private static final long NEVER_NANOS = TimeUnit.DAYS.toNanos(100 * 365);

    /** Datagrams of a stream moved in one duty cycle, about 0.1 ms of work. */
    private static final int DRIVER_CYCLES = 16;

    /** Between two looks at the driver, whose own timers are of a hundred milliseconds and more once all is quiet. */
    private static final long MAX_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(4);

    private final MediaDriver driver;
    private final Aeron aeron;
    private final AgentInvoker driverInvoker;
    private final AgentInvoker clientInvoker;
    private final TransportConfig.Idle idle;
    /** Null if the thread that runs this waits in another way. */
    private final SocketIdleStrategy sockets;

    private Transport(
            final MediaDriver driver,
            final Aeron aeron,
            final TransportConfig.Idle idle,
            final SocketIdleStrategy sockets) {
        this.driver = driver;
        this.aeron = aeron;
        this.idle = idle;
        this.sockets = sockets;
        this.driverInvoker = driver == null ? null : driver.sharedAgentInvoker();
        this.clientInvoker = Objects.requireNonNull(aeron.conductorAgentInvoker());
    }

    /**
     * Starts the transport.
     *
     * @param directory where an embedded driver keeps its buffers, on a memory file system; deleted at the start and at the end
     */
    public static Transport start(final TransportConfig config, final Path directory) {
        return start(config, directory, SystemEpochClock.INSTANCE);
    }

    static Transport start(final TransportConfig config, final Path directory, final EpochClock wallClock) {
        MediaDriver driver = null;
        final SocketIdleStrategy sockets = config.idle() == TransportConfig.Idle.WAIT
                        && config.externalDriver().isEmpty()
                ? new SocketIdleStrategy()
                : null;
        try {
            final Aeron.Context client = new Aeron.Context()
                    .useConductorAgentInvoker(true)
                    .epochClock(wallClock)
                    .errorHandler(error -> LOG.warn("transport: {}", error.getMessage()))
                    .keepAliveIntervalNs(TimeUnit.MILLISECONDS.toNanos(500));
            if (config.externalDriver().isPresent()) {
                client.aeronDirectoryName(config.externalDriver().get().toString());
            } else {
                driver = MediaDriver.launch(
                        driverContext(config, directory, sockets).epochClock(wallClock));
                client.aeronDirectoryName(driver.aeronDirectoryName())
                        .driverAgentInvoker(driver.sharedAgentInvoker())
                        .driverTimeoutMs(TimeUnit.NANOSECONDS.toMillis(NEVER_NANOS));
            }
            return new Transport(driver, Aeron.connect(client), config.idle(), sockets);
        } catch (final AeronException | IllegalStateException | UncheckedIOException e) {
            CloseHelper.quietCloseAll(driver, sockets);
            throw new TransportException("the transport did not start: " + e.getMessage(), e);
        } catch (final InternalError e) {
            // SIGBUS: a file of its buffers could not grow. What is mapped of it must not be touched again.
            throw new TransportException(
                    "the transport did not start: no room for its buffers in " + directory
                            + "; is its file system full?",
                    e);
        }
    }

    private static MediaDriver.Context driverContext(
            final TransportConfig config, final Path directory, final SocketIdleStrategy sockets) {
        final int grantedBytes = grantedSocketBufferBytes(config.socketBufferBytes());
        final int windowBytes = Math.min(config.windowBytes(), Integer.highestOneBit(grantedBytes / 2));
        if (windowBytes < config.windowBytes()) {
            LOG.warn(
                    "the kernel grants a socket buffer of {} KiB, so the receiver window is {} KiB instead of {} KiB;"
                            + " raise net.core.rmem_max and net.core.wmem_max to {} for full speed",
                    grantedBytes >> 10,
                    windowBytes >> 10,
                    config.windowBytes() >> 10,
                    config.socketBufferBytes());
        }
        final MediaDriver.Context context = new MediaDriver.Context();
        if (sockets != null) {
            context.sendChannelEndpointSupplier(WatchedEndpoints.senders(sockets))
                    .receiveChannelEndpointSupplier(WatchedEndpoints.receivers(sockets));
        }
        return context.aeronDirectoryName(directory.toString())
                .threadingMode(ThreadingMode.INVOKER)
                // Its thread looks for tasks a thousand times a second; they are look-ups of names, and only addresses
                // come here.
                .asyncExecutorEnabled(false)
                .dirDeleteOnStart(true)
                .dirDeleteOnShutdown(true)
                .warnIfDirectoryExists(false)
                .termBufferSparseFile(true)
                .publicationTermBufferLength(config.termBytes())
                .mtuLength(config.mtuBytes())
                .socketSndbufLength(grantedBytes)
                .socketRcvbufLength(grantedBytes)
                .initialWindowLength(windowBytes)
                .clientLivenessTimeoutNs(NEVER_NANOS)
                .publicationUnblockTimeoutNs(2 * NEVER_NANOS)
                .driverTimeoutMs(TimeUnit.NANOSECONDS.toMillis(NEVER_NANOS))
                .errorHandler(Transport::onDriverError);
    }

    private static void onDriverError(final Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException) {
                // Whoever asked for the port is told, too, and knows what to say to the user.
                LOG.debug("media driver: {}", error.getMessage());
                return;
            }
        }
        LOG.warn("media driver: {}", error.getMessage());
    }

    private static int grantedSocketBufferBytes(final int wantedBytes) {
        try (DatagramChannel channel = DatagramChannel.open()) {
            channel.setOption(StandardSocketOptions.SO_RCVBUF, wantedBytes);
            channel.setOption(StandardSocketOptions.SO_SNDBUF, wantedBytes);
            return Math.min(
                    Math.min(channel.getOption(StandardSocketOptions.SO_RCVBUF), wantedBytes),
                    channel.getOption(StandardSocketOptions.SO_SNDBUF));
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Listens on an endpoint of this host. */
    public Subscription listen(final Endpoint endpoint, final int streamId) {
        try {
            return aeron.addSubscription(endpoint.channel(), streamId);
        } catch (final RegistrationException e) {
            throw new TransportException(
                    "cannot listen on UDP " + endpoint + ": " + reason(e)
                            + "; choose another port or stop what uses it (ss -ulpn shows what does)",
                    e);
        }
    }

    /** Opens a stream to an endpoint; nothing need be there yet. */
    public ExclusivePublication connect(final Endpoint endpoint, final int streamId) {
        try {
            return aeron.addExclusivePublication(endpoint.channel(), streamId);
        } catch (final RegistrationException e) {
            throw new TransportException("cannot send to " + endpoint + ": " + reason(e), e);
        }
    }

    /** The endpoint that a subscription on port 0 got, once the driver has bound it; waits for that, bounded. */
    public Endpoint boundEndpoint(final Subscription subscription) {
        final long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        while (true) {
            final String resolved = subscription.tryResolveChannelEndpointPort();
            if (resolved != null) {
                final int at = resolved.indexOf("endpoint=") + "endpoint=".length();
                final int end = resolved.indexOf('|', at);
                return Endpoint.parse(end < 0 ? resolved.substring(at) : resolved.substring(at, end));
            }
            if (System.nanoTime() > deadlineNanos) {
                throw new TransportException("the media driver did not bind " + subscription.channel(), null);
            }
            doWork();
            Thread.onSpinWait();
        }
    }

    private static String reason(final RegistrationException e) {
        final String message = String.valueOf(e.getMessage());
        return message.contains("Address already in use")
                ? "the port is in use"
                : message.lines().findFirst().orElse(message);
    }

    /**
     * Sends, receives and keeps alive; call it in the duty cycle of the owning thread. An embedded driver moves one datagram of
     * each stream at a time, so it goes on for as long as there are any, bounded.
     */
    @Override
    public int doWork() {
        int work = clientInvoker.invoke();
        if (driverInvoker != null) {
            int moved = driverInvoker.invoke();
            for (int i = 1; moved > 0 && i < DRIVER_CYCLES; i++) {
                work += moved;
                moved = driverInvoker.invoke();
            }
            work += moved;
        }
        return work;
    }

    /**
     * How the thread that runs this is to wait when there is nothing to do.
     *
     * @param maxWaitNanos at most, for what it does by the clock
     */
    public IdleStrategy idleStrategy(final long maxWaitNanos) {
        if (sockets == null) {
            return idle.newStrategy();
        }
        sockets.limit(Math.min(maxWaitNanos, MAX_WAIT_NANOS));
        return sockets;
    }

    /** There is something to do for the thread that runs this, offered before this call. Any thread; costs next to nothing while that is awake. */
    public void wake() {
        if (sockets != null) {
            sockets.wake();
        }
    }

    @Override
    public String roleName() {
        return "transport";
    }

    @Override
    public void close() {
        CloseHelper.quietClose(aeron);
        CloseHelper.quietCloseAll(driver, sockets);
    }
}
