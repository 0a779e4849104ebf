package org.resilire.guest.qemu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether all of a guest's memory is accounted for. Besides RAM, QEMU has RAM blocks for firmware, option ROMs and device
 * memory; the saved device state holds none of them. Firmware and ROMs are the same on a standby with the same command line.
 * Anything else would be missing after a failover.
 */
final class RamBlockPolicy {

    /** Heading, then {@code name  page-size  offset  used  total}; a name may hold spaces. */
    private static final Pattern LINE =
            Pattern.compile("\\s*(.+?)\\s+\\d+ [KMG]iB\\s+0x[0-9a-f]+\\s+0x([0-9a-f]+)\\s+0x([0-9a-f]+).*");

    /** One line of {@code info ramblock}. */
    record RamBlock(String name, long usedBytes) {}

    private RamBlockPolicy() {}

    /** Reads what the monitor command {@code info ramblock} prints; lines of another form are skipped. */
    static List<RamBlock> parse(final String infoRamblock) {
        final List<RamBlock> blocks = new ArrayList<>();
        for (final String line : infoRamblock.lines().toList()) {
            final Matcher matcher = LINE.matcher(line);
            if (matcher.matches()) {
                blocks.add(new RamBlock(matcher.group(1), Long.parseUnsignedLong(matcher.group(2), 16)));
            }
        }
        return blocks;
    }

    /**
     * Checks the blocks.
     *
     * @param memoryBackends ids of the guest's memory backends
     * @param ramBytes length of the RAM file
     * @return what is wrong and what to do, in one line, or nothing
     */
    static Optional<String> objection(
            final List<RamBlock> blocks, final List<String> memoryBackends, final long ramBytes) {
        int ramBlocks = 0;
        for (final RamBlock block : blocks) {
            if (isMemoryBackend(block.name(), memoryBackends)) {
                ramBlocks++;
                if (block.usedBytes() != ramBytes) {
                    return Optional.of("RAM block " + block.name() + " has " + block.usedBytes()
                            + " bytes, the RAM file " + ramBytes + ": give the file of this guest's memory backend");
                }
            } else if (!isFirmware(block.name())) {
                return Optional.of("RAM block " + block.name() + " is not replicated: " + advice(block.name()));
            }
        }
        return ramBlocks == 1
                ? Optional.empty()
                : Optional.of("the guest has " + ramBlocks
                        + " memory backends: use one memory-backend-file with -machine memory-backend=ID");
    }

    private static boolean isMemoryBackend(final String name, final List<String> ids) {
        final String objects = "/objects/";
        return ids.contains(name.startsWith(objects) ? name.substring(objects.length()) : name);
    }

    private static boolean isFirmware(final String name) {
        return name.equals("pc.bios") || name.equals("pc.rom") || name.startsWith("/rom@") || name.endsWith(".rom");
    }

    private static String advice(final String name) {
        if (name.contains("vga") || name.contains("vram") || name.contains("qxl") || name.contains("virtio-gpu")) {
            return "start the guest without a graphics device (-nodefaults -display none, no -vga, no -device *vga*)";
        }
        if (name.contains("flash")) {
            return "start the guest with SeaBIOS or -bios instead of writable flash (-drive if=pflash)";
        }
        return "start the guest without the device it belongs to";
    }
}
