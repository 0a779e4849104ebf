package org.resilire.net;

import java.nio.file.Path;

/**
 * Where a guest's NIC and its uplink are.
 *
 * @param agentSocket path that the agent binds: QEMU's {@code remote.path} of {@code -netdev dgram}
 * @param guestSocket path that QEMU binds: its {@code local.path}
 * @param tap name of the TAP device that leads to the world
 * @param gateBytes capacity of the output gate, a power of two
 */
public record GuestNicConfig(Path agentSocket, Path guestSocket, String tap, int gateBytes) {}
