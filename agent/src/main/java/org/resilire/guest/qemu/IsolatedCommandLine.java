package org.resilire.guest.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.resilire.guest.GuestException;

/**
 * Makes, from a standby's command line, that of a QEMU which has the same devices and can do no harm: other memory, network devices
 * with nothing at the other end, disks whose writes are thrown away, consoles that are files of its own. Disks that the agent serves are
 * copies that it serves elsewhere. An option that is not known to be harmless is refused, with its name.
 */
public final class IsolatedCommandLine {

    /** Taken over with their value. */
    private static final Set<String> HARMLESS = Set.of(
            "machine",
            "M",
            "accel",
            "cpu",
            "smp",
            "m",
            "display",
            "global",
            "name",
            "uuid",
            "boot",
            "kernel",
            "initrd",
            "append",
            "dtb",
            "bios",
            "L",
            "rtc",
            "smbios",
            "acpitable",
            "k",
            "msg",
            "overcommit",
            "sandbox",
            "icount",
            "numa",
            "vga",
            "action",
            "mon",
            "watchdog-action",
            "fw_cfg",
            "cdrom");

    /** Taken over; they have no value. */
    private static final Set<String> FLAGS = Set.of(
            "nodefaults",
            "no-user-config",
            "nographic",
            "enable-kvm",
            "no-reboot",
            "no-shutdown",
            "S",
            "no-hpet",
            "no-acpi");

    /** Left out with their value: ways in that only one QEMU can have. */
    private static final Set<String> DROPPED =
            Set.of("qmp", "qmp-pretty", "monitor", "pidfile", "D", "d", "vnc", "spice", "gdb");

    /** What the names of objects begin with that are taken over: they reach nothing outside, or only by a -chardev. */
    private static final List<String> HARMLESS_OBJECTS = List.of(
            "memory-backend-",
            "rng-",
            "iothread",
            "main-loop",
            "thread-context",
            "throttle-group",
            "secret",
            "tls-creds-");

    private static final List<String> HOST_DEVICES = List.of("vfio", "vhost", "usb-host", "ivshmem", "scsi-generic");

    private static final String NOT_SERVED = "it is not a disk that the agent serves";

    private final List<String> command;
    private final Path replica;
    private final Path ram;
    private final Map<Path, Path> disks;
    private final Path directory;
    private final List<String> isolated = new ArrayList<>();
    private int consoles;
    private int hubs;
    private boolean hasDrives;

    private IsolatedCommandLine(
            final List<String> command,
            final Path replica,
            final Path ram,
            final Map<Path, Path> disks,
            final Path directory) {
        this.command = command;
        this.replica = replica;
        this.ram = ram;
        this.disks = disks;
        this.directory = directory;
    }

    /**
     * Rewrites a command line.
     *
     * @param replica the RAM file in it
     * @param ram the file to be used instead
     * @param disks the sockets to be used instead of those of the standby's disks, by these
     * @param directory for consoles and the like
     * @throws GuestException naming the option that stands in the way
     */
    public static List<String> of(
            final List<String> command,
            final Path replica,
            final Path ram,
            final Map<Path, Path> disks,
            final Path directory) {
        return new IsolatedCommandLine(command, replica, ram, disks, directory).rewrite();
    }

    /** The file with what the guest says on its first console, if it has one that was rewritten. */
    public static Path console(final Path directory) {
        return directory.resolve("console-0.log");
    }

    private List<String> rewrite() {
        if (command.isEmpty()) {
            throw new GuestException("the standby's command line is empty");
        }
        isolated.add(command.getFirst());
        boolean replacedMemory = false;
        for (int i = 1; i < command.size(); i++) {
            final String word = command.get(i);
            final String option =
                    word.startsWith("--") ? word.substring(2) : word.substring(Math.min(1, word.length()));
            if (!word.startsWith("-")) {
                throw cannot(word, "it is no option");
            }
            if (FLAGS.contains(option)) {
                isolated.add(word);
                continue;
            }
            if (i + 1 == command.size()) {
                throw cannot(word, "its value is missing");
            }
            final String value = command.get(++i);
            if (value.startsWith("{")) {
                throw cannot(word + " " + value, "JSON is not looked into; write it as id=…,…");
            }
            if (HARMLESS.contains(option)) {
                add(word, value);
            } else if (option.equals("object")) {
                final String rewritten = object(value);
                replacedMemory |= !rewritten.equals(value);
                add(word, rewritten);
            } else if (!DROPPED.contains(option)) {
                rewrite(option, word, value);
            }
        }
        if (!replacedMemory) {
            throw new GuestException("no -object memory-backend-file of the standby has mem-path=" + replica
                    + ": its copy cannot be put in its place");
        }
        if (hasDrives) {
            isolated.add("-snapshot");
        }
        return List.copyOf(isolated);
    }

    private void rewrite(final String option, final String word, final String value) {
        switch (option) {
            case "device" -> {
                final String type = value.replaceFirst("^driver=", "");
                if (HOST_DEVICES.stream().anyMatch(type::startsWith)) {
                    throw cannot(word + " " + value, "it is a device of this host");
                }
                add(word, value);
            }
            case "netdev" -> add(word, "hubport,id=" + field(word, value, "id") + ",hubid=" + hubs++);
            case "nic", "net" -> {
                if (!value.equals("none")) {
                    throw cannot(word + " " + value, "use -netdev and -device");
                }
                add(word, value);
            }
            case "drive" -> {
                if (Stream.of(value.split(",", -1))
                        .anyMatch(part -> part.startsWith("snapshot=") && !part.equals("snapshot=on"))) {
                    throw cannot(word + " " + value, "what is written to it would be kept");
                }
                if (disks.keySet().stream().anyMatch(socket -> value.contains(socket.toString()))) {
                    throw cannot(word + " " + value, "use -blockdev for a disk that the agent serves");
                }
                hasDrives = true;
                add(word, value);
            }
            case "blockdev" -> add(word, blockdev(word, value));
            case "chardev" -> add(word, "file,id=" + field(word, value, "id") + ",path=" + nextConsole());
            case "serial", "parallel" ->
                add(word, value.equals("none") || value.startsWith("chardev:") ? value : "file:" + nextConsole());
            default -> throw cannot(word, "whether it does harm when there are two of it is not known");
        }
    }

    private void add(final String word, final String value) {
        isolated.add(word);
        isolated.add(value);
    }

    private Path nextConsole() {
        return directory.resolve("console-" + consoles++ + ".log");
    }

    private String object(final String value) {
        final String type = value.replaceFirst(",.*", "").replaceFirst("^qom-type=", "");
        if (HARMLESS_OBJECTS.stream().noneMatch(type::startsWith)) {
            throw cannot("-object " + value, "whether it does harm when there are two of it is not known");
        }
        if (!type.startsWith("memory-backend-file")) {
            return value;
        }
        if (!Path.of(field("-object", value, "mem-path")).equals(replica)) {
            throw cannot("-object " + value, "it is other memory than the replica " + replica);
        }
        return Stream.of(value.split(",", -1))
                .map(part -> part.startsWith("mem-path=") ? "mem-path=" + ram : part)
                .collect(Collectors.joining(","));
    }

    /** Of a disk that the agent serves, directly or below the raw format. */
    private String blockdev(final String word, final String value) {
        final List<String> parts = new ArrayList<>();
        boolean isNbd = false;
        boolean isServed = false;
        for (final String part : value.split(",", -1)) {
            final int equals = part.indexOf('=');
            final String set = part.substring(equals + 1);
            // Of a node within the node the keys are longer.
            final String key = part.substring(0, Math.max(0, equals)).replaceFirst("^(file[.])+", "");
            final Path trial =
                    key.equals("server.path") ? disks.get(Path.of(set).normalize()) : null;
            isNbd |= key.equals("driver") && set.equals("nbd");
            isServed |= trial != null;
            final boolean isElsewhere = equals < 0
                    || (key.equals("driver") && !set.equals("nbd") && !set.equals("raw"))
                    || (key.equals("server.path") && trial == null)
                    || Set.of("filename", "path", "host", "server.host").contains(key);
            if (isElsewhere) {
                throw cannot(word + " " + value, NOT_SERVED);
            }
            parts.add(trial == null ? part : part.substring(0, equals + 1) + trial);
        }
        if (isNbd != isServed) {
            throw cannot(word + " " + value, NOT_SERVED);
        }
        return String.join(",", parts);
    }

    private static String field(final String word, final String value, final String name) {
        return Stream.of(value.split(",", -1))
                .filter(part -> part.startsWith(name + "="))
                .map(part -> part.substring(name.length() + 1))
                .findFirst()
                .orElseThrow(() -> cannot(word + " " + value, "it has no " + name + "="));
    }

    private static GuestException cannot(final String what, final String why) {
        return new GuestException("a copy of the standby cannot be started beside it: " + what + ": " + why);
    }
}
