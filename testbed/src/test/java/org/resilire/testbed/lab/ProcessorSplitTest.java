package org.resilire.testbed.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProcessorSplitTest {

    @Test
    void shouldTakeTheProcessorsThatThereAreWhateverTheirNumbers() {
        assertEquals(List.of(0, 1), ProcessorSplit.expand("0-1"));
        assertEquals(List.of(2), ProcessorSplit.expand("2"));
        assertEquals(List.of(2, 3, 4, 9, 12, 13), ProcessorSplit.expand("2-4,9,12-13"));
    }
}
