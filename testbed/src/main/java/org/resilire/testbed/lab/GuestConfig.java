package org.resilire.testbed.lab;

import java.util.List;
import org.resilire.testbed.TestbedException;

/**
 * A guest to boot.
 *
 * @param image what it boots
 * @param memoryMiB its memory
 * @param cpus its virtual processors
 * @param disks names of its disks, which agents of both hosts serve to it: its agent starts before it does
 */
public record GuestConfig(GuestImage image, int memoryMiB, int cpus, List<String> disks) {

    /** Less does not boot. */
    public static final int MIN_MEMORY_MIB = 128;

    public GuestConfig {
        disks = List.copyOf(disks);
        if (memoryMiB < MIN_MEMORY_MIB) {
            throw new TestbedException("the guest needs " + MIN_MEMORY_MIB + " MiB of memory, not " + memoryMiB);
        }
        if (cpus < 1) {
            throw new TestbedException("the guest needs at least 1 virtual processor, not " + cpus);
        }
    }

    /** A guest without disks. */
    public GuestConfig(final GuestImage image, final int memoryMiB, final int cpus) {
        this(image, memoryMiB, cpus, List.of());
    }

    /** The same with these disks; see {@link LabDisk} for their images. */
    public GuestConfig withDisks(final String... names) {
        return new GuestConfig(image, memoryMiB, cpus, List.of(names));
    }

    /** A small guest, for tests. */
    public static GuestConfig small(final GuestImage image) {
        return new GuestConfig(image, 256, 1);
    }
}
