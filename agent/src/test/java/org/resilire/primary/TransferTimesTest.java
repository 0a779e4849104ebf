package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TransferTimesTest {

    private final TransferTimes transfers = new TransferTimes();

    @Test
    void shouldRememberWhatWasSentOfTheLatestEpochs() {
        for (long epoch = 1; epoch <= 20; epoch++) {
            transfers.onMessage(epoch, 100, epoch * 1_000);
            transfers.onMessage(epoch, 11, epoch * 1_000 + 500);
            if (epoch % 2 == 0) {
                transfers.onBackPressure(epoch);
            }
        }
        assertFalse(transfers.knows(12));
        for (long epoch = 13; epoch <= 20; epoch++) {
            assertTrue(transfers.knows(epoch));
            assertEquals(111, transfers.bytes(epoch));
            assertEquals(epoch * 1_000, transfers.startNanos(epoch));
            assertEquals(epoch % 2 == 0, transfers.saturated(epoch));
        }
        transfers.reset();
        assertFalse(transfers.knows(20));
    }
}
