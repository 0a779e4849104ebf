package org.resilire.net.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlowTableTest {

    private final FlowKey key = new FlowKey();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldFindWhatIsInItAndNothingElse(final long seed) {
        final FlowTable table = new FlowTable(1 << 10, seed);
        final Random random = new Random(seed);
        final Map<Integer, Integer> model = new HashMap<>();
        for (int step = 0; step < 50_000; step++) {
            final int flow = random.nextInt(1_000);
            key.set(flow % 3, flow % 7, flow % 2, flow % 11, flow);
            final int slot = table.find(key);
            assertEquals(model.getOrDefault(flow, FlowTable.NONE), slot);
            if (slot != FlowTable.NONE && random.nextInt(3) == 0) {
                table.remove(slot);
                model.remove(flow);
            } else if (slot == FlowTable.NONE) {
                final int added = table.add(key, step, Long.MIN_VALUE);
                if (added != FlowTable.NONE) {
                    model.put(flow, added);
                }
            }
            assertEquals(model.size(), table.size());
        }
        assertTrue(model.size() > 300, "little found room");
    }

    @Test
    void shouldLetOnlyStaleFlowsGiveWay() {
        final FlowTable table = new FlowTable(16, 1);
        for (int flow = 0; flow < 16; flow++) {
            key.set(0, 0, 0, 0, flow);
            assertNotEquals(FlowTable.NONE, table.add(key, flow, Long.MIN_VALUE));
        }
        key.set(0, 0, 0, 0, 100);
        assertEquals(FlowTable.NONE, table.add(key, 100, 0), "all are wanted");
        assertNotEquals(FlowTable.NONE, table.add(key, 100, 5));
        assertEquals(16, table.size());
        key.set(0, 0, 0, 0, 0);
        assertEquals(FlowTable.NONE, table.find(key), "the oldest gave way");
        key.set(0, 0, 0, 0, 1);
        assertNotEquals(FlowTable.NONE, table.find(key));
    }
}
