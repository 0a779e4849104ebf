package org.resilire.backup;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A takeover of nothing runs to its end, and nothing is different afterwards. */
@Timeout(60)
class TakeoverRehearsalTest {

    @TempDir
    private Path directory;

    private List<Path> files() throws Exception {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldRunToItsEndAndLeaveNothingBehind(final boolean hasDisks) throws Exception {
        TakeoverRehearsal.run(directory.resolve("r"), hasDisks);
        assertEquals(List.of(), files());
    }

    @Test
    void shouldRunWhereAnAgentWasKilledInTheMiddleOfIt() throws Exception {
        final Path left = Files.createDirectory(directory.resolve("r"));
        for (final String file : List.of("qmp", "in", "nbd", "ram", "image", "rehearsal.record", "fence.log")) {
            Files.writeString(left.resolve(file), "left by an agent that was killed");
        }
        TakeoverRehearsal.run(left, true);
        assertEquals(List.of(), files());
    }

    @Test
    void shouldNotTouchTheRecordOfTheGuest() throws Exception {
        final Path record = directory.resolve("rehearsal.record");
        final byte[] text = "generation=7\ntakeoverLimitNanos=0\n".getBytes(UTF_8);
        Files.write(record, text);
        TakeoverRehearsal.run(directory.resolve("r"), true);
        assertEquals(List.of(record), files());
        assertArrayEquals(text, Files.readAllBytes(record));
    }
}
