package org.resilire.guest.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuardOptionsTest {

    @Test
    void shouldSurviveACommandLine() {
        final GuardOptions options =
                new GuardOptions(12, Path.of("/run/a b"), Path.of("/dev/shm/f"), 128, Duration.ofMillis(250));
        assertEquals(options, GuardOptions.parse(options.toArguments()));
    }

    @Test
    void shouldRefuseWhatItCannotRead() {
        assertThrows(IllegalArgumentException.class, () -> GuardOptions.parse(List.of("12")));
        assertThrows(IllegalArgumentException.class, () -> GuardOptions.parse(List.of("x", "a", "b", "8", "1")));
        assertThrows(IllegalArgumentException.class, () -> GuardOptions.parse(List.of("1", "a", "b", "3", "1")));
    }
}
