package org.resilire.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.resilire.failover.DetectorConfig;
import org.resilire.fault.FailurePoints;
import org.resilire.net.GuestNicConfig;
import org.resilire.transport.TransportConfig;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What both kinds of agents can be told. */
final class AgentOptions {

    @Option(
            names = "--state-dir",
            paramLabel = "DIR",
            defaultValue = "/var/lib/resilire",
            description = "Where the guest's generation, and what is known of its disks, is kept across restarts."
                    + " Default: ${DEFAULT-VALUE}.")
    Path stateDir;

    @Option(
            names = "--nic-socket",
            paramLabel = "PATH",
            description = "Unix socket that this agent binds for the guest's NIC: QEMU's remote.path of -netdev dgram."
                    + " Without it the guest has no network here.")
    Path nicSocket;

    @Option(
            names = "--nic-peer",
            paramLabel = "PATH",
            description = "Unix socket that QEMU binds: its local.path of -netdev dgram.")
    Path nicPeer;

    @Option(
            names = "--tap",
            paramLabel = "NAME",
            description = "TAP device that leads to the world, for example a bridge's port.")
    String tap;

    @Option(
            names = "--gate-size",
            paramLabel = "BYTES",
            converter = SizeConverter.class,
            defaultValue = "16M",
            description =
                    "Output held at most, a power of two; more is dropped as a NIC would. Default: ${DEFAULT-VALUE}.")
    int gateBytes;

    @Option(
            names = "--detect-interval",
            paramLabel = "TIME",
            defaultValue = "20ms",
            description = "How often each side gives a sign of life. Default: ${DEFAULT-VALUE}.")
    Duration detectInterval;

    @Option(
            names = "--detect-timeout",
            paramLabel = "TIME",
            defaultValue = "100ms",
            description = "Silence after which the other side counts as failed. Default: ${DEFAULT-VALUE}.")
    Duration detectTimeout;

    @Option(
            names = "--aeron-dir",
            paramLabel = "DIR",
            description = "Use the media driver that runs with this directory instead of an embedded one.")
    Path aeronDir;

    @Option(
            names = "--mtu",
            paramLabel = "BYTES",
            converter = SizeConverter.class,
            defaultValue = "8192",
            description =
                    "Datagram size of the replication link; 1408 where it has no jumbo frames. Default: ${DEFAULT-VALUE}.")
    int mtu;

    @Option(
            names = "--term",
            paramLabel = "BYTES",
            converter = SizeConverter.class,
            defaultValue = "16M",
            description = "Aeron term buffer, a power of two. Default: ${DEFAULT-VALUE}.")
    int term;

    @Option(
            names = "--window",
            paramLabel = "BYTES",
            converter = SizeConverter.class,
            defaultValue = "2M",
            description = "Receiver window; at most half the socket buffer. Default: ${DEFAULT-VALUE}.")
    int window;

    @Option(
            names = "--socket-buffer",
            paramLabel = "BYTES",
            converter = SizeConverter.class,
            defaultValue = "4M",
            description = "UDP socket buffers to ask for; net.core.rmem_max limits them. Default: ${DEFAULT-VALUE}.")
    int socketBuffer;

    @Option(
            names = "--idle",
            paramLabel = "HOW",
            defaultValue = "wait",
            description =
                    "How the link thread waits: ${COMPLETION-CANDIDATES}; wait: until a datagram comes; spin only with a core of its"
                            + " own. Default: ${DEFAULT-VALUE}.")
    TransportConfig.Idle idle;

    @Option(
            names = "--arm",
            hidden = true,
            split = ",",
            paramLabel = "POINT[@N]",
            description = "Arm failure points, for tests.")
    List<String> arm = List.of();

    DetectorConfig detector(final CommandSpec spec) {
        return checked(spec, () -> new DetectorConfig(detectInterval.toNanos(), detectTimeout.toNanos()));
    }

    TransportConfig transport(final CommandSpec spec) {
        return checked(
                spec, () -> new TransportConfig(Optional.ofNullable(aeronDir), mtu, term, window, socketBuffer, idle));
    }

    FailurePoints failurePoints(final CommandSpec spec) {
        return checked(spec, () -> new FailurePoints(arm));
    }

    Optional<GuestNicConfig> nic(final CommandSpec spec) {
        if (nicSocket == null && nicPeer == null && tap == null) {
            return Optional.empty();
        }
        if (nicSocket == null || nicPeer == null || tap == null) {
            throw new ParameterException(
                    spec.commandLine(), "--nic-socket, --nic-peer and --tap belong together: give all three or none");
        }
        if (Integer.bitCount(gateBytes) != 1 || gateBytes < 64 << 10) {
            throw new ParameterException(spec.commandLine(), "--gate-size must be a power of two of at least 64K");
        }
        return Optional.of(new GuestNicConfig(nicSocket, nicPeer, tap, gateBytes));
    }

    private static <T> T checked(final CommandSpec spec, final Supplier<T> made) {
        try {
            return made.get();
        } catch (final IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
