package org.resilire.linux;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the tests need of the machine; a machine that lacks it fails them, with the reason. */
final class Requires {
    private Requires() {}

    static void capability(Capability capability) {
        assertTrue(
                Capability.isEffective(capability),
                "this test needs " + capability + ": run the build as root, in a container with that capability");
    }
}
