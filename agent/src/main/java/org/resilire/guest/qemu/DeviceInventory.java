package org.resilire.guest.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.resilire.guest.GuestException;
import tools.jackson.databind.JsonNode;

/**
 * What a guest consists of, as a text that two hosts can compare before a failover would find out: QEMU's version, machine
 * type, CPUs, RAM, devices with their addresses. Host things such as backends and paths are left out, and so is whatever the
 * guest changes while it runs: a running primary and its waiting standby give the same text if they were started alike.
 * Immutable.
 */
public final class DeviceInventory {

    /** Longest text there is. */
    public static final int MAX_BYTES = 16 * 1024;

    private static final String DEVICE = "device ";
    private static final String VERSION_PREFIX = "qemu ";
    private static final String MORE = "more ";

    private final String text;

    private DeviceInventory(final String text) {
        this.text = text;
    }

    /** Asks a QEMU, running or waiting for its incoming state. */
    static DeviceInventory of(final QmpConnection qmp, final long timeoutNanos) {
        final List<String> lines = new ArrayList<>();
        lines.add(VERSION_PREFIX + version(qmp.execute("query-version", Map.of(), timeoutNanos)));
        lines.add("machine " + qom(qmp, "/machine", "type", timeoutNanos));
        final JsonNode cpus = qmp.execute("query-cpus-fast", Map.of(), timeoutNanos);
        lines.add("cpus " + cpus.size());
        if (!cpus.isEmpty()) {
            lines.add("cpu " + qom(qmp, cpus.get(0).path("qom-path").asString(""), "type", timeoutNanos));
        }
        final JsonNode memory = qmp.execute("query-memory-size-summary", Map.of(), timeoutNanos);
        lines.add("memory " + memory.path("base-memory").asLong(-1));
        final Map<String, String> qtree = Map.of("command-line", "info qtree");
        lines.addAll(DeviceTree.lines(
                qmp.execute("human-monitor-command", qtree, timeoutNanos).asString("")));
        return new DeviceInventory(bounded(lines));
    }

    /**
     * Takes a text from another host.
     *
     * @throws GuestException if it is too long or not such a text
     */
    public static DeviceInventory parse(final String text) {
        if (text.getBytes(UTF_8).length > MAX_BYTES) {
            throw new GuestException("a device inventory of more than " + MAX_BYTES + " bytes");
        }
        if (!text.startsWith(VERSION_PREFIX)) {
            throw new GuestException("a device inventory that does not start with QEMU's version");
        }
        return new DeviceInventory(text);
    }

    /** Of the QEMU that was asked, for example {@code 7.2.22}. */
    public String qemuVersion() {
        return text.substring(VERSION_PREFIX.length(), text.indexOf('\n') < 0 ? text.length() : text.indexOf('\n'));
    }

    /** At most {@link #MAX_BYTES} in UTF-8; equal for equal guests. */
    public String text() {
        return text;
    }

    private static String version(final JsonNode reply) {
        final JsonNode qemu = reply.path("qemu");
        return qemu.path("major").asInt() + "." + qemu.path("minor").asInt() + "."
                + qemu.path("micro").asInt();
    }

    private static String qom(final QmpConnection qmp, final String path, final String property, final long timeout) {
        return qmp.execute("qom-get", Map.of("path", path, "property", property), timeout)
                .asString("");
    }

    /** Lines that do not fit are replaced by one checksum of them all. */
    static String bounded(final List<String> lines) {
        final StringBuilder text = new StringBuilder();
        final int room = MAX_BYTES - 64;
        int bytes = 0;
        int i = 0;
        for (; i < lines.size(); i++) {
            final int lineBytes = lines.get(i).getBytes(UTF_8).length + 1;
            if (bytes + lineBytes > room) {
                break;
            }
            bytes += lineBytes;
            text.append(lines.get(i)).append('\n');
        }
        if (i < lines.size()) {
            final CRC32 checksum = new CRC32();
            for (final String line : lines.subList(i, lines.size())) {
                checksum.update((line + '\n').getBytes(UTF_8));
            }
            text.append(MORE).append(lines.size() - i).append(String.format(" checksum=%08x%n", checksum.getValue()));
        }
        return text.toString();
    }

    /** In words, the first thing that would keep the standby from taking the primary's state; nothing if they are alike. */
    public static Optional<String> firstDifference(final DeviceInventory primary, final DeviceInventory standby) {
        if (primary.text.equals(standby.text)) {
            return Optional.empty();
        }
        final Map<String, String> ours = byKey(primary);
        final Map<String, String> theirs = byKey(standby);
        for (final Map.Entry<String, String> entry : ours.entrySet()) {
            final String other = theirs.get(entry.getKey());
            if (other == null) {
                return Optional.of("standby lacks " + describe(entry.getValue()));
            }
            if (!other.equals(entry.getValue())) {
                return Optional.of(difference(entry.getKey(), entry.getValue(), other));
            }
        }
        for (final Map.Entry<String, String> entry : theirs.entrySet()) {
            if (!ours.containsKey(entry.getKey())) {
                return Optional.of("standby has " + describe(entry.getValue()) + ", which the primary lacks");
            }
        }
        return Optional.of("the order of devices differs");
    }

    /** What makes a line the same thing on both sides: its first word, and for a device its type, place and name. */
    private static Map<String, String> byKey(final DeviceInventory inventory) {
        final Map<String, String> lines = new LinkedHashMap<>();
        for (final String line : inventory.text.lines().toList()) {
            String key = line.substring(0, Math.max(0, line.indexOf(' ')));
            if (line.startsWith(DEVICE)) {
                final Map<String, String> fields = fields(line);
                key = DEVICE + fields.get("") + " bus=" + fields.get("bus") + " addr=" + fields.get("addr");
            }
            String unique = key;
            for (int n = 2; lines.containsKey(unique); n++) {
                unique = key + " #" + n;
            }
            lines.put(unique, line);
        }
        return lines;
    }

    private static Map<String, String> fields(final String line) {
        final Map<String, String> fields = new TreeMap<>();
        final String[] words = line.split(" ", -1);
        fields.put("", words.length > 1 ? words[1] : "");
        Arrays.stream(words).skip(2).forEach(word -> {
            final int equals = word.indexOf('=');
            if (equals > 0) {
                fields.put(word.substring(0, equals), word.substring(equals + 1));
            }
        });
        return fields;
    }

    private static String difference(final String key, final String primary, final String standby) {
        if (!primary.startsWith(DEVICE)) {
            final int value = primary.indexOf(' ') + 1;
            return "primary has " + key + " " + primary.substring(value) + ", standby "
                    + standby.substring(Math.min(standby.length(), standby.indexOf(' ') + 1));
        }
        final Map<String, String> ours = fields(primary);
        final Map<String, String> theirs = fields(standby);
        for (final Map.Entry<String, String> field : ours.entrySet()) {
            final String other = theirs.get(field.getKey());
            if (!field.getValue().equals(other) && !field.getKey().equals("others")) {
                return describe(primary) + " has " + field.getKey() + " " + field.getValue() + ", on the standby "
                        + (other == null ? "none" : other);
            }
        }
        return describe(primary) + " has other properties on the standby: compare the two command lines";
    }

    private static String describe(final String line) {
        if (!line.startsWith(DEVICE)) {
            return line;
        }
        final Map<String, String> fields = fields(line);
        final StringBuilder words = new StringBuilder(fields.get(""));
        if (fields.containsKey("id")) {
            words.append(" '").append(fields.get("id")).append('\'');
        }
        final String address = fields.get("addr");
        final String bus = fields.getOrDefault("bus", "");
        if (address == null) {
            return words.append(" on bus ").append(bus).toString();
        }
        if (bus.equals("pcie.0") || bus.equals("pci.0")) {
            return words.append(" at 00:").append(address).toString();
        }
        return words.append(" at ")
                .append(address)
                .append(" on bus ")
                .append(bus)
                .toString();
    }

    @Override
    public boolean equals(final Object other) {
        return other instanceof DeviceInventory inventory && inventory.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
