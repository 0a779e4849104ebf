package org.resilire.testbed.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ProtectionModeTest {

    /** An experiment that was asked for it as a mode would measure the default and call it that. */
    @Test
    void shouldNotTakeForAModeOfTheAgentWhatIsDoneToItFromOutside() {
        assertThrows(IllegalArgumentException.class, () -> ProtectionMode.named(OverheadExperiment.APART));
        assertThrows(IllegalArgumentException.class, () -> ProtectionMode.named(OverheadExperiment.STOP_CONT));
        ProtectionMode.ALL.forEach(mode -> assertEquals(mode, ProtectionMode.named(mode.name())));
    }
}
