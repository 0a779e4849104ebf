package org.resilire.guest.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * Reads the monitor command {@code info qtree}: buses and devices nested by indentation, each device with its properties.
 *
 * <pre>
 *   bus: pcie.0
 *     type PCIE
 *     dev: virtio-net-pci, id "net0"
 *       addr = 02.0                                 ← property
 *       class Ethernet controller, addr 00:02.0, …  ← set up by the guest: left out
 *       bus: virtio-bus
 *         dev: virtio-net-device, id ""
 * </pre>
 *
 * Only what a command line decides is kept: a standby that has not run yet must give the same text.
 */
final class DeviceTree {

    private static final String BUS = "bus: ";
    private static final String DEVICE = "dev: ";

    /** Properties that people recognise; shown by name. All others are covered by a checksum. */
    private static final Set<String> NAMED = Set.of(
            "addr",
            "mac",
            "serial",
            "wwn",
            "nr",
            "port",
            "chassis",
            "vectors",
            "num-queues",
            "queue-size",
            "rx_queue_size",
            "tx_queue_size",
            "mq",
            "max_ports",
            "disable-legacy",
            "disable-modern",
            "logical_block_size",
            "physical_block_size",
            "iobase",
            "irq");

    /** Properties that name things of the host, which may differ, or that the guest changes while it runs. */
    private static final Set<String> LEFT_OUT = Set.of(
            "netdev",
            "drive",
            "chardev",
            "rng",
            "memdev",
            "cryptodev",
            "audiodev",
            "iothread",
            "romfile",
            "socket",
            "fd",
            "vhostfd",
            "filename",
            "path",
            "tx",
            "x-txtimer",
            "x-txburst",
            "ioeventfd",
            "host_mtu",
            "speed",
            "duplex",
            "bootindex",
            // Guessed from the partition table, which a standby's disk may not have yet.
            "cyls",
            "heads",
            "secs",
            "lcyls",
            "lheads",
            "lsecs",
            // Where the guest's firmware puts PCI Express configuration space.
            "MCFG",
            "hpet-offset-saved");

    private static final class Device {
        private final int indent;
        private final String type;
        private final String id;
        private final String bus;
        private final TreeMap<String, String> named = new TreeMap<>();
        private final TreeMap<String, String> others = new TreeMap<>();

        Device(final int indent, final String type, final String id, final String bus) {
            this.indent = indent;
            this.type = type;
            this.id = id;
            this.bus = bus;
        }

        boolean hasNoAddress() {
            return !named.containsKey("addr");
        }

        String line() {
            final StringBuilder line = new StringBuilder("device ").append(type);
            line.append(" bus=").append(bus);
            if (!id.isEmpty()) {
                line.append(" id=").append(id);
            }
            named.forEach(
                    (name, value) -> line.append(' ').append(name).append('=').append(value));
            final CRC32 checksum = new CRC32();
            others.forEach((name, value) -> checksum.update((name + '=' + value + '\n').getBytes(UTF_8)));
            return line.append(String.format(" others=%08x", checksum.getValue()))
                    .toString();
        }
    }

    private record Bus(int indent, String name) {}

    private final List<Device> devices = new ArrayList<>();
    private final Deque<Bus> buses = new ArrayDeque<>();
    private final Deque<Device> open = new ArrayDeque<>();

    private DeviceTree() {}

    /** One line for each device, those that have an address first: a difference is best told by what people configure. */
    static List<String> lines(final String infoQtree) {
        final DeviceTree tree = new DeviceTree();
        infoQtree.lines().forEach(tree::read);
        return tree.devices.stream()
                .sorted(Comparator.comparing(Device::hasNoAddress).thenComparing(Device::line))
                .map(Device::line)
                .toList();
    }

    private void read(final String line) {
        final String text = line.strip();
        if (text.isEmpty()) {
            return;
        }
        final int indent = line.indexOf(text.charAt(0));
        while (!open.isEmpty() && open.peek().indent >= indent) {
            open.pop();
        }
        if (text.startsWith(BUS)) {
            closeBuses(indent);
            buses.push(new Bus(indent, clean(text.substring(BUS.length()))));
        } else if (text.startsWith(DEVICE)) {
            closeBuses(indent);
            startDevice(indent, text.substring(DEVICE.length()));
        } else if (!open.isEmpty()) {
            property(open.peek(), text);
        }
    }

    private void closeBuses(final int indent) {
        while (!buses.isEmpty() && buses.peek().indent() >= indent) {
            buses.pop();
        }
    }

    private void startDevice(final int indent, final String text) {
        final int comma = text.indexOf(',');
        final String type = comma < 0 ? text : text.substring(0, comma);
        final int quote = text.indexOf('"');
        final int endQuote = text.lastIndexOf('"');
        final String id = quote < endQuote ? text.substring(quote + 1, endQuote) : "";
        final Device device = new Device(
                indent,
                clean(type),
                clean(id),
                buses.isEmpty() ? "" : buses.peek().name());
        devices.add(device);
        open.push(device);
    }

    private static void property(final Device device, final String text) {
        final int equals = text.indexOf(" = ");
        if (equals < 0) {
            return;
        }
        final String name = text.substring(0, equals);
        if (LEFT_OUT.contains(name) || name.indexOf(' ') >= 0) {
            return;
        }
        final String value = clean(withoutHex(text.substring(equals + 3)));
        (NAMED.contains(name) ? device.named : device.others).put(name, value);
    }

    /** {@code 4 (0x4)} says the same twice. */
    private static String withoutHex(final String value) {
        final int bracket = value.indexOf(" (");
        return bracket < 0 ? value : value.substring(0, bracket);
    }

    /** Quotes and blanks would break the line's form. */
    private static String clean(final String value) {
        return value.replace("\"", "").strip().replaceAll("\\s+", "_");
    }
}
