package org.resilire.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OutputEpochsTest {

    private final OutputEpochs epochs = new OutputEpochs(GateMode.HOLD);

    @AfterEach
    void close() {
        epochs.close();
    }

    @Test
    void shouldBeginWithNothingAcknowledged() {
        assertEquals(0, epochs.currentEpoch());
        assertEquals(-1, epochs.acknowledgedEpoch());
    }

    @Test
    void shouldRefuseAnEpochThatGoesBack() {
        epochs.beginEpoch(5);
        assertThrows(IllegalArgumentException.class, () -> epochs.beginEpoch(5));
        assertThrows(IllegalArgumentException.class, () -> epochs.beginEpoch(4));
        assertEquals(5, epochs.currentEpoch());
    }

    @Test
    void shouldRefuseAnAcknowledgementOfWhatHasNotBegun() {
        epochs.beginEpoch(5);
        assertThrows(IllegalArgumentException.class, () -> epochs.acknowledge(6));
        assertEquals(-1, epochs.acknowledgedEpoch());
    }

    @Test
    void shouldNotGoBackOnALateAcknowledgement() {
        epochs.beginEpoch(5);
        epochs.acknowledge(4);
        epochs.acknowledge(3);
        assertEquals(4, epochs.acknowledgedEpoch());
    }

    @Test
    void shouldNotOpenAgainWhatIsDiscardedForGood() {
        assertTrue(epochs.changeMode(GateMode.DISCARD));
        assertTrue(epochs.changeMode(GateMode.PASS));
        epochs.discardForGood();
        assertFalse(epochs.changeMode(GateMode.PASS));
        assertEquals(GateMode.DISCARD, epochs.mode());
    }
}
