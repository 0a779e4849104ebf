package org.resilire.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.VarHandle;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.IdleStrategy;

/**
 * Lets the thread that drives a media driver sleep until a datagram arrives or another thread has something for it. A thread that looks
 * a few thousand times a second instead takes little time of its own, but each time it wakes it may interrupt a guest's processor: on two
 * cores that was half of what protection cost the guest.
 *
 * <p>No wake-up is lost: before a wait the thread says that it is about to, and looks once more. Waits are bounded all the same, for
 * timers: shortly after work, when a lost datagram may have to be asked for again, more closely than in silence.
 *
 * <p>Belongs to the driving thread but for {@link #wake}. Allocates nothing once the channels are there.
 */
final class SocketIdleStrategy implements IdleStrategy, AutoCloseable {

    private static final long SHORT_WAIT_MILLIS = 1;
    private static final int SHORT_WAITS = 5;

    private final Selector selector;
    private final int shortWaits;
    private long maxWaitMillis = SHORT_WAIT_MILLIS;
    private int emptyWaits;

    /** What is offered from now on must come with a {@link #wake}. */
    private volatile boolean isDrowsy;

    SocketIdleStrategy() {
        this(SHORT_WAITS);
    }

    /** @param shortWaits so many after work, before any may be as long as {@link #limit} says */
    SocketIdleStrategy(final int shortWaits) {
        this.shortWaits = shortWaits;
        try {
            selector = Selector.open();
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Wakes for datagrams on this channel, too, until that is closed. */
    void watch(final DatagramChannel channel) {
        try {
            channel.register(selector, SelectionKey.OP_READ);
        } catch (final ClosedChannelException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits so long at most once nothing has happened for a while; rounded down to milliseconds, at least 1. */
    void limit(final long maxWaitNanos) {
        maxWaitMillis = Math.max(SHORT_WAIT_MILLIS, TimeUnit.NANOSECONDS.toMillis(maxWaitNanos));
    }

    /** There is something to do, offered before this call. Any thread; two loads and a fence unless the driving thread waits. */
    void wake() {
        // Between the offer, which may be a plain ordered store, and the look at the flag.
        VarHandle.fullFence();
        if (isDrowsy) {
            selector.wakeup();
        }
    }

    @Override
    public void idle(final int workCount) {
        if (workCount > 0) {
            reset();
        } else {
            idle();
        }
    }

    @Override
    public void idle() {
        if (!isDrowsy) {
            isDrowsy = true;
            return;
        }
        try {
            // Whatever it was, the duty cycle that follows looks everywhere.
            if (selector.select(SocketIdleStrategy::ignore, waitMillis()) == 0) {
                emptyWaits++;
            }
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private long waitMillis() {
        return emptyWaits < shortWaits ? SHORT_WAIT_MILLIS : maxWaitMillis;
    }

    private static void ignore(final SelectionKey key) {}

    @Override
    public void reset() {
        if (isDrowsy) {
            isDrowsy = false;
        }
        emptyWaits = 0;
    }

    @Override
    public String alias() {
        return "socket";
    }

    /** Call when the driver is closed: a channel that is watched keeps its port until then. */
    @Override
    public void close() {
        try {
            selector.close();
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
