package org.resilire.transport;

import java.nio.file.Path;
import java.util.Optional;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.BusySpinIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.agrona.concurrent.YieldingIdleStrategy;

/**
 * How Aeron is used. The defaults come from measurements on small machines: the link's thread sleeps until a datagram comes (one that
 * spins starves its peers when there are more threads than cores), 8 KiB datagrams, 16 MiB terms.
 *
 * @param externalDriver directory of a media driver that runs already; empty for an embedded one
 * @param mtuBytes largest datagram payload; 1408 fits ordinary Ethernet, 8192 wants jumbo frames or loopback
 * @param termBytes length of an Aeron term buffer, a power of two from 64 KiB to 1 GiB
 * @param windowBytes receiver window; at most half the socket buffer, or the kernel drops datagrams under load
 * @param socketBufferBytes socket buffers asked for; the kernel may grant less
 * @param idle how threads of the link wait
 */
public record TransportConfig(
        Optional<Path> externalDriver, int mtuBytes, int termBytes, int windowBytes, int socketBufferBytes, Idle idle) {

    public static final int DEFAULT_MTU_BYTES = 8192;
    public static final int DEFAULT_TERM_BYTES = 16 << 20;
    public static final int DEFAULT_WINDOW_BYTES = 2 << 20;
    public static final int DEFAULT_SOCKET_BUFFER_BYTES = 4 << 20;

    /** Waiting when there is nothing to do. */
    public enum Idle {
        /** Until a datagram or another thread wakes; with an external driver, whose sockets are not ours, as {@link #BACKOFF}. */
        WAIT,
        BACKOFF,
        SLEEP,
        YIELD,
        SPIN;

        /** A strategy of its own for one thread that has no sockets to wait for. */
        public IdleStrategy newStrategy() {
            return switch (this) {
                // A look at the driver costs microseconds: a few hundred of them before the first sleep, as is usual,
                // took a fifth of a core from the guest on a small machine and commits were no sooner.
                case WAIT, BACKOFF -> new BackoffIdleStrategy(10, 5, 1_000, 250_000);
                case SLEEP -> new SleepingIdleStrategy(50_000);
                case YIELD -> new YieldingIdleStrategy();
                case SPIN -> new BusySpinIdleStrategy();
            };
        }
    }

    public TransportConfig {
        require(
                mtuBytes >= 1408 && mtuBytes <= 65504 && mtuBytes % 32 == 0,
                "mtu",
                mtuBytes,
                "a multiple of 32 from 1408 to 65504");
        require(
                Integer.bitCount(termBytes) == 1 && termBytes >= (4 << 20) && termBytes <= (1 << 30),
                "term",
                termBytes,
                "a power of two from 4 MiB to 1 GiB");
        require(
                windowBytes >= mtuBytes && windowBytes <= termBytes / 2,
                "window",
                windowBytes,
                "from one MTU to half a term");
        require(socketBufferBytes >= 2 * windowBytes, "socket-buffer", socketBufferBytes, "at least twice the window");
    }

    public static TransportConfig defaults() {
        return new TransportConfig(
                Optional.empty(),
                DEFAULT_MTU_BYTES,
                DEFAULT_TERM_BYTES,
                DEFAULT_WINDOW_BYTES,
                DEFAULT_SOCKET_BUFFER_BYTES,
                Idle.WAIT);
    }

    private static void require(final boolean holds, final String name, final int value, final String expected) {
        if (!holds) {
            throw new IllegalArgumentException("--" + name + " is " + value + ", but must be " + expected);
        }
    }
}
