package org.resilire.testbed.lab;

import org.resilire.testbed.TestbedException;

/**
 * A guest to boot.
 *
 * @param image what it boots
 * @param memoryMiB its memory
 * @param cpus its virtual processors
 */
public record GuestConfig(GuestImage image, int memoryMiB, int cpus) {

    /** Less does not boot. */
    public static final int MIN_MEMORY_MIB = 128;

    public GuestConfig {
        if (memoryMiB < MIN_MEMORY_MIB) {
            throw new TestbedException("the guest needs " + MIN_MEMORY_MIB + " MiB of memory, not " + memoryMiB);
        }
        if (cpus < 1) {
            throw new TestbedException("the guest needs at least 1 virtual processor, not " + cpus);
        }
    }

    /** A small guest, for tests. */
    public static GuestConfig small(final GuestImage image) {
        return new GuestConfig(image, 256, 1);
    }
}
