package org.resilire.epoch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LinkSampleTest {

    private static final long SAMPLES = 200_000;

    private final LinkSample sample = new LinkSample();

    @Test
    void shouldBeReadOnce() {
        assertFalse(sample.read());
        sample.write(1, 2, true);
        assertTrue(sample.read());
        assertEquals(1, sample.bytes());
        assertEquals(2, sample.nanos());
        assertTrue(sample.saturated());
        assertFalse(sample.read());
    }

    @Test
    void shouldNeverMixTwoSamples() {
        final CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
            for (long i = 1; i <= SAMPLES; i++) {
                sample.write(i, 3 * i, (i & 1) != 0);
            }
        });
        long last = 0;
        while (last < SAMPLES) {
            if (sample.read()) {
                assertTrue(sample.bytes() > last);
                last = sample.bytes();
                assertEquals(3 * last, sample.nanos());
                assertEquals((last & 1) != 0, sample.saturated());
            }
        }
        writer.join();
    }
}
