package org.resilire.testbed.lab;

import java.util.List;
import org.resilire.testbed.TestbedException;

/**
 * Namespaces, bridges and wires; the package's picture shows them. Bridges forward at once and learn, without spanning tree.
 *
 * <p>No offload is switched off: a TAP device that is opened without a virtio header gets every frame cut to the MTU and with
 * its checksum filled in by the kernel, and frames out of the guest carry the guest's own checksums.
 */
final class LabNetwork {

    static final String TAP = "tap0";
    static final String REPLICATION_LINK = "replica0";

    private static final String BRIDGE_OPTIONS = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0";

    /** Absent from kernels without IPv6. */
    private static final String NO_IPV6 =
            "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -e \"$f\" ] || echo 1 >\"$f\"; done";

    /** Of the sockets between QEMU and agent; the kernel's 10 would make every burst wait. */
    private static final int NIC_QUEUE_FRAMES = 512;

    private final Namespace network;
    private final Namespace hostA;
    private final Namespace hostB;
    private final Namespace client;

    LabNetwork(final String id) {
        network = new Namespace("rsl-" + id + "-net");
        hostA = new Namespace("rsl-" + id + "-a");
        hostB = new Namespace("rsl-" + id + "-b");
        client = new Namespace("rsl-" + id + "-client");
    }

    Namespace hostA() {
        return hostA;
    }

    Namespace hostB() {
        return hostB;
    }

    Namespace client() {
        return client;
    }

    List<Namespace> namespaces() {
        return List.of(client, hostA, hostB, network);
    }

    void create() {
        for (final Namespace namespace : namespaces()) {
            namespace.create();
            namespace.shell(NO_IPV6, "");
        }
        createSwitch();
        hostA.configure("link add " + REPLICATION_LINK + " mtu 9000 type veth peer name " + REPLICATION_LINK
                + " mtu 9000 netns " + hostB.name() + "\n");
        createHost(hostA, Lab.HOST_A_ADDRESS, Lab.HOST_A_REPLICATION_ADDRESS);
        createHost(hostB, Lab.HOST_B_ADDRESS, Lab.HOST_B_REPLICATION_ADDRESS);
        client.configure("""
                link set lo up
                address add %s/24 dev eth0
                link set eth0 up
                """.formatted(Lab.CLIENT_ADDRESS));
    }

    private void createSwitch() {
        network.configure("""
                link set lo up
                link add switch0 %s
                link add host-a type veth peer name uplink netns %s
                link add host-b type veth peer name uplink netns %s
                link add client type veth peer name eth0 netns %s
                link set host-a master switch0 up
                link set host-b master switch0 up
                link set client master switch0 up
                link set switch0 up
                """.formatted(BRIDGE_OPTIONS, hostA.name(), hostB.name(), client.name()));
    }

    private static void createHost(final Namespace host, final String address, final String replicationAddress) {
        host.shell("echo " + NIC_QUEUE_FRAMES + " >/proc/sys/net/unix/max_dgram_qlen", "");
        host.configure("""
                link set lo up
                link add br0 %s
                tuntap add dev %s mode tap
                link set %s master br0 up
                link set uplink master br0 up
                link set br0 up
                address add %s/24 dev br0
                address add %s/24 dev %s
                link set %s up
                """.formatted(
                        BRIDGE_OPTIONS, TAP, TAP, address, replicationAddress, REPLICATION_LINK, REPLICATION_LINK));
    }

    /**
     * Loses packets of the replication link, in both directions and without a word, as a bad cable does: neither side sees
     * an error or a carrier that is gone.
     */
    void dropReplication(final int percent) {
        if (percent < 0 || percent > 100) {
            throw new TestbedException("cannot drop " + percent + " % of the packets: give 0 to 100");
        }
        // The generator's comparison does not accept 100.
        final String share = percent == 100 ? "" : "numgen random mod 100 < " + percent;
        // The first two lines make the third valid whether the table exists or not.
        final String rules = """
                table ip resilire_lab
                delete table ip resilire_lab
                table ip resilire_lab {
                  chain in {
                    type filter hook input priority 0; policy accept;
                    iifname "%s" %s drop
                  }
                }
                """.formatted(REPLICATION_LINK, share);
        final String none = "table ip resilire_lab\ndelete table ip resilire_lab\n";
        for (final Namespace host : List.of(hostA, hostB)) {
            host.shell("nft -f -", percent == 0 ? none : rules);
        }
    }

    /** What host A has sent on the replication link since it was made, all headers included. */
    long bytesFromHostA() {
        // /proc/net/dev: after the name eight figures of what came, then of what was sent, bytes first.
        final String line = hostA.shell("grep " + REPLICATION_LINK + ": /proc/net/dev", "");
        final String[] figures = line.substring(line.indexOf(':') + 1).strip().split("\\s+", -1);
        return Long.parseLong(figures[8]);
    }

    /** Whatever of it exists; the wires and devices go with the namespaces. */
    void delete() {
        for (final Namespace namespace : namespaces()) {
            if (namespace.exists()) {
                namespace.delete();
            }
        }
    }
}
