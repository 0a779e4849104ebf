package org.resilire.testbed.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.resilire.testbed.TestbedException;

/** The agent's command lines, as an administrator would write them. */
public final class AgentCommandLine {

    private static final int REPLICATION_PORT = 7878;

    private AgentCommandLine() {}

    static List<String> protect(final Lab lab, final AgentOptions options) {
        final LabHost host = lab.hostA();
        final List<String> command = new ArrayList<>(List.of(launcher(), "protect"));
        command.addAll(common(lab, host, options));
        command.addAll(List.of("--qmp", host.qmpSocket().toString()));
        command.addAll(List.of("--backup", Lab.HOST_B_REPLICATION_ADDRESS + ":" + REPLICATION_PORT));
        command.addAll(List.of("--period", options.periodArgument()));
        if (options.verifyEvery() > 0) {
            command.addAll(List.of("--verify-every", Integer.toString(options.verifyEvery())));
        }
        command.addAll(options.primaryExtra());
        return command;
    }

    /**
     * A primary that keeps a standby on its host once its guest was moved to the other.
     *
     * @param qemu the standby's command line on that host
     */
    static List<String> protect(final Lab lab, final LabHost host, final String qemu, final AgentOptions options) {
        final List<String> command = new ArrayList<>(List.of(launcher(), "protect"));
        command.addAll(bothRoles(lab, host, qemu, options));
        command.addAll(options.primaryExtra());
        return command;
    }

    /** A standby that becomes the primary of its guest, on any host. */
    static List<String> standby(final Lab lab, final LabHost host, final String qemu, final AgentOptions options) {
        final List<String> command = new ArrayList<>(List.of(launcher(), "standby"));
        command.addAll(bothRoles(lab, host, qemu, options));
        command.addAll(options.standbyExtra());
        return command;
    }

    private static List<String> bothRoles(
            final Lab lab, final LabHost host, final String qemu, final AgentOptions options) {
        final LabHost peer = lab.peerOf(host);
        final List<String> command = new ArrayList<>(common(lab, host, options));
        command.addAll(List.of("--qmp", host.qmpSocket().toString()));
        command.addAll(List.of("--backup", peer.replicationAddress() + ":" + REPLICATION_PORT));
        command.addAll(List.of("--listen", host.replicationAddress() + ":" + REPLICATION_PORT));
        command.addAll(List.of("--period", options.periodArgument()));
        command.addAll(List.of("--qemu", qemu));
        command.addAll(List.of("--takeover", "auto", "--fence", lab.powerOffCommand(peer)));
        return command;
    }

    /** @param qemu the standby's command line */
    static List<String> standby(
            final Lab lab, final String qemu, final TakeoverMode takeover, final AgentOptions options) {
        final LabHost host = lab.hostB();
        final List<String> command = new ArrayList<>(List.of(launcher(), "standby"));
        command.addAll(common(lab, host, options));
        command.addAll(List.of("--listen", host.replicationAddress() + ":" + REPLICATION_PORT));
        command.addAll(List.of("--qemu", qemu));
        command.addAll(List.of("--takeover", takeover.argument(), "--fence", lab.fenceCommand()));
        command.addAll(options.standbyExtra());
        return command;
    }

    private static List<String> common(final Lab lab, final LabHost host, final AgentOptions options) {
        final List<String> common = new ArrayList<>(List.of(
                "--vm",
                lab.vmName(),
                "--ram",
                host.ramFile().toString(),
                "--run-dir",
                host.agentRunBase().toString(),
                "--state-dir",
                host.agentStateDirectory().toString()));
        if (options.hasNetwork()) {
            common.addAll(List.of("--nic-socket", host.nicSocket().toString()));
            common.addAll(List.of("--nic-peer", host.nicPeer().toString()));
            common.addAll(List.of("--tap", host.tapName()));
        }
        for (final String disk : options.disks()) {
            common.addAll(List.of("--disk", disk + "=" + host.diskImage(disk)));
        }
        if (!options.disks().isEmpty()) {
            common.addAll(List.of("--disk-socket-dir", host.directory().toString()));
        }
        return common;
    }

    /** A command about the lab's guest, for the host where an agent has that or its standby. */
    public static List<String> about(final Lab lab, final LabHost host, final String... command) {
        final List<String> line = new ArrayList<>(List.of(launcher()));
        line.addAll(List.of(command));
        line.addAll(
                List.of("--vm", lab.vmName(), "--run-dir", host.agentRunBase().toString()));
        return line;
    }

    /** {@code resilire}, of the source tree. */
    public static String launcher() {
        final String home = System.getenv("RESILIRE_HOME");
        if (home == null || home.isBlank()) {
            throw new TestbedException("RESILIRE_HOME is not set: start this by testbed/run, which sets it");
        }
        final Path launcher = Path.of(home, "agent", "bin", "resilire");
        if (!Files.isExecutable(launcher)) {
            throw new TestbedException("there is no agent at " + launcher + ": RESILIRE_HOME must be the source tree");
        }
        return launcher.toString();
    }
}
