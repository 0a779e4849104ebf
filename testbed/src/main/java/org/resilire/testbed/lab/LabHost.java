package org.resilire.testbed.lab;

import java.nio.file.Path;

/**
 * One of the two hosts: where its processes run and where they keep their things.
 *
 * @param label {@code a} or {@code b}
 * @param namespace its network
 * @param address on the network of the clients
 * @param replicationAddress on the link between the hosts
 * @param directory its sockets, and the agent's files
 * @param ramFile the guest's memory on this host
 * @param diskDirectory images of the guest's disks on this host, on a file system that is no memory
 */
public record LabHost(
        String label,
        Namespace namespace,
        String address,
        String replicationAddress,
        Path directory,
        Path ramFile,
        Path diskDirectory) {

    /** The TAP device of the guest's network, for the agent to open. */
    public String tapName() {
        return LabNetwork.TAP;
    }

    /** Where the agent receives the guest's frames. */
    public Path nicSocket() {
        return directory.resolve("nic-agent.sock");
    }

    /** Where QEMU receives the frames for the guest. */
    public Path nicPeer() {
        return directory.resolve("nic-qemu.sock");
    }

    /** The image of one of the guest's disks. */
    public Path diskImage(final String name) {
        return diskDirectory.resolve(name + ".img");
    }

    /** Where the agent serves that disk. */
    public Path diskSocket(final String name) {
        return directory.resolve(name + ".nbd");
    }

    /** QEMU's control socket for the agent. */
    public Path qmpSocket() {
        return directory.resolve("qmp.sock");
    }

    /** QEMU's control socket for the test bed. */
    public Path measurementSocket() {
        return directory.resolve("qmp-testbed.sock");
    }

    /** The agent's {@code --run-dir}. */
    public Path agentRunBase() {
        return directory.resolve("run");
    }

    /** The agent's {@code --state-dir}. */
    public Path agentStateDirectory() {
        return directory.resolve("state");
    }
}
