package org.resilire.testbed.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {

    private static final List<Operation> ACKNOWLEDGED =
            List.of(commit(1, "a", 10), commit(2, "b", 20), commit(3, "c", 30));

    @TempDir
    private Path directory;

    private static Operation commit(final long sequence, final String value, final long acknowledgedNs) {
        return new Operation(Operation.Kind.COMMIT, sequence, acknowledgedNs - 5, acknowledgedNs, value);
    }

    private static Ledger compared(final Map<Long, String> found, final long counter) {
        final Ledger ledger = new Ledger(1, ACKNOWLEDGED);
        ledger.compare(found);
        ledger.compareCounter(counter);
        return ledger;
    }

    @Test
    void shouldAcceptAllThatWasAcknowledgedAndOneThatWasNotAnswered() {
        final Ledger ledger = compared(Map.of(1L, "a", 2L, "b", 3L, "c", 4L, "d"), 4);
        assertEquals(0, ledger.lost());
        assertEquals(0, ledger.rewinds());
        ledger.requireNothingUnanswered();
        assertEquals(1, ledger.rewinds());
    }

    @Test
    void shouldCountWhatIsMissingOrAnotherAsLost() {
        final Ledger ledger = compared(Map.of(1L, "a", 2L, "x"), 2);
        assertEquals(2, ledger.lost());
        assertEquals(0, ledger.rewinds());
        assertTrue(ledger.complaints().stream().anyMatch(complaint -> complaint.contains("COMMIT 3")));
    }

    @Test
    void shouldSeeGapsAndTornTransactions() {
        assertEquals(1, compared(Map.of(1L, "a", 2L, "b", 3L, "c", 5L, "e"), 4).rewinds());
        assertEquals(1, compared(Map.of(1L, "a", 2L, "b", 3L, "c"), 4).rewinds());
    }

    @Test
    void shouldTellWhatIsMissingFromWhatContradictsItself() {
        final Ledger ledger = compared(Map.of(1L, "a"), 2);
        assertEquals(2, ledger.losses().size());
        assertEquals(1, ledger.contradictions().size());
        assertEquals(3, ledger.complaints().size());
    }

    @Test
    void shouldLeaveOutWhatWasAnsweredLater() {
        try (OperationLog log = OperationLog.create(directory.resolve(DatabaseLoad.recordName(1)))) {
            ACKNOWLEDGED.forEach(log::append);
        }
        final Ledger ledger = Ledger.recorded(directory, 1, 30);
        ledger.compare(Map.of(1L, "a", 2L, "b"));
        assertEquals(2, ledger.acknowledged());
        assertEquals(0, ledger.lost());
    }
}
