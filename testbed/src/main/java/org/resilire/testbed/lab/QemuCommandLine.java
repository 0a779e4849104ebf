package org.resilire.testbed.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The QEMU that the agent wants: the same devices on both hosts, RAM in a shared file, nothing else that holds memory. */
final class QemuCommandLine {

    private static final String MAC = "52:54:00:77:00:10";
    private static final Pattern NEEDS_NO_QUOTES = Pattern.compile("[A-Za-z0-9_@%+=:,./-]+");

    private QemuCommandLine() {}

    /** A guest that starts by itself, with control sockets for the agent and for the test bed. */
    static List<String> primary(final String name, final GuestConfig guest, final LabHost host, final Path serialLog) {
        final List<String> command = devices(name, guest, host, serialLog);
        command.addAll(List.of("-qmp", "unix:" + host.qmpSocket() + ",server=on,wait=off"));
        command.addAll(List.of("-qmp", "unix:" + host.measurementSocket() + ",server=on,wait=off"));
        return command;
    }

    /** The same without control sockets, in one line: the agent adds its own and keeps the guest from starting. */
    static String standby(final String name, final GuestConfig guest, final LabHost host, final Path serialLog) {
        return devices(name, guest, host, serialLog).stream()
                .map(QemuCommandLine::quote)
                .collect(Collectors.joining(" "));
    }

    private static List<String> devices(
            final String name, final GuestConfig guest, final LabHost host, final Path serialLog) {
        final String memory = guest.memoryMiB() + "M";
        final List<String> command = new ArrayList<>(List.of(
                "qemu-system-x86_64",
                "-name",
                name,
                "-machine",
                "q35,memory-backend=ram0,suppress-vmdesc=on",
                "-accel",
                "tcg",
                // Without a source of randomness Redis waits a second at boot.
                "-cpu",
                "qemu64,+rdrand",
                "-smp",
                Integer.toString(guest.cpus()),
                "-m",
                memory,
                "-object",
                "memory-backend-file,id=ram0,size=" + memory + ",mem-path=" + host.ramFile() + ",share=on",
                "-global",
                "migration.send-configuration=off",
                "-no-user-config",
                "-nodefaults",
                "-no-reboot",
                "-display",
                "none",
                "-chardev",
                "file,id=console,path=" + serialLog + ",append=on",
                "-serial",
                "chardev:console",
                "-netdev",
                "dgram,id=n0,local.type=unix,local.path=" + host.nicPeer() + ",remote.type=unix,remote.path="
                        + host.nicSocket(),
                "-device",
                "virtio-net-pci,netdev=n0,mac=" + MAC,
                "-kernel",
                guest.image().kernel().toString(),
                "-initrd",
                guest.image().initrd().toString(),
                "-append",
                guest.image().commandLine() + " resilire.ip=" + Lab.GUEST_ADDRESS + "/24"));
        guest.disks().forEach(disk -> command.addAll(disk(disk, host)));
        return command;
    }

    /** If the agent ends, the guest's requests wait until there is one again. */
    private static List<String> disk(final String name, final LabHost host) {
        return List.of(
                "-blockdev",
                "driver=nbd,node-name=" + name + ",server.type=unix,server.path=" + host.diskSocket(name) + ",export="
                        + name + ",reconnect-delay=3600",
                "-device",
                "virtio-blk-pci,drive=" + name);
    }

    private static String quote(final String argument) {
        return NEEDS_NO_QUOTES.matcher(argument).matches() ? argument : "'" + argument + "'";
    }
}
