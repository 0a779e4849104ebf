package org.resilire.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LoopRunnerTest {

    private final AtomicInteger published = new AtomicInteger();

    @Test
    void shouldReturnHowTheLoopEndedAndPublishItsLastFigures() {
        assertEquals("ended", LoopRunner.run("loop", () -> "ended", () -> {}, published::incrementAndGet));
        assertTrue(published.get() > 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldThrowWhatTheLoopThrew(final boolean isError) {
        final Throwable thrown = isError ? new AssertionError("thrown") : new IllegalStateException("thrown");
        final Throwable caught = assertThrows(
                Throwable.class,
                () -> LoopRunner.run(
                        "loop",
                        () -> {
                            if (thrown instanceof Error error) {
                                throw error;
                            }
                            throw (RuntimeException) thrown;
                        },
                        () -> {},
                        published::incrementAndGet));
        assertSame(thrown, caught);
    }

    @Test
    void shouldStopTheLoopAndAwaitItsEndWhenInterrupted() {
        final CompletableFuture<String> stopped = new CompletableFuture<>();
        Thread.currentThread().interrupt();
        assertEquals(
                "stopped",
                LoopRunner.run("loop", stopped::join, () -> stopped.complete("stopped"), published::incrementAndGet));
        assertTrue(Thread.interrupted(), "whoever called is to know");
    }
}
