/**
 * The guest's network: the agent is the peer of the guest's NIC (one Ethernet frame a datagram) and of a TAP device on the
 * host, and holds what the guest sends until the state that sent it is safe on the backup.
 *
 * <pre>
 *   QEMU ──datagram──► GuestNetwork ──label──► OutputGate ──acknowledged──► Uplink (TAP) ──► bridge
 *   QEMU ◄──datagram── GuestNetwork ◄──────────────────────────────────────── Uplink (TAP) ◄── bridge
 *                           ▲
 *                      OutputEpochs ◄── checkpoint thread (epoch begins), acknowledgements
 * </pre>
 *
 * <p>One thread, the network thread, runs {@link org.resilire.net.GuestNetwork}; it shares only
 * {@link org.resilire.net.OutputEpochs} and {@link org.resilire.net.NetworkCounters} with others.
 */
package org.resilire.net;
