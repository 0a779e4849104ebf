package org.resilire.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProtectionRecordTest {

    @TempDir
    Path directory;

    private ProtectionRecord open() {
        return ProtectionRecord.open(directory.resolve("state"), "db");
    }

    private Path file() {
        return directory.resolve("state/db.record");
    }

    @Test
    void shouldStartAtGenerationOneAndUnprotected() {
        final ProtectionRecord record = open();
        assertEquals(1, record.generation());
        assertFalse(record.wasProtected());
        assertFalse(Files.exists(file()));
    }

    @Test
    void shouldRememberAfterReopening() {
        final ProtectionRecord record = open();
        record.adoptGeneration(7);
        record.protectedWithin(123_456_789);
        assertEquals(7, open().generation());
        assertTrue(open().wasProtected());
        assertEquals(123_456_789, open().takeoverLimitNanos());
        record.unprotected();
        assertFalse(open().wasProtected());
        assertEquals(7, open().generation());
    }

    @Test
    void shouldCountAsProtectedEvenWithoutATakeoverLimit() {
        open().protectedWithin(0);
        assertTrue(open().wasProtected());
    }

    @Test
    void shouldNotAdoptALowerGeneration() {
        final ProtectionRecord record = open();
        record.adoptGeneration(5);
        record.adoptGeneration(5);
        assertThrows(IllegalArgumentException.class, () -> record.adoptGeneration(4));
        assertEquals(5, record.generation());
        assertEquals(5, open().generation());
    }

    @Test
    void shouldKeepRecordsOfGuestsApart() {
        open().adoptGeneration(9);
        assertEquals(1, ProtectionRecord.open(directory.resolve("state"), "web").generation());
    }

    @Test
    void shouldReplaceTheFileInsteadOfRewritingIt() throws IOException {
        final ProtectionRecord record = open();
        record.adoptGeneration(2);
        final Path reader = directory.resolve("reader");
        Files.createLink(reader, file());
        record.adoptGeneration(3);
        assertEquals("generation=2\ntakeoverLimitNanos=0\n", Files.readString(reader));
        assertEquals("generation=3\ntakeoverLimitNanos=0\n", Files.readString(file()));
        try (Stream<Path> left = Files.list(file().getParent())) {
            assertEquals(List.of(file()), left.toList());
        }
    }

    @Test
    void shouldNotBelieveWhatDidNotReachTheDisk() throws IOException {
        final ProtectionRecord record = open();
        record.adoptGeneration(2);
        // In the way of the file that is to replace the record.
        Files.createDirectories(file().resolveSibling("db.record.new/x"));
        assertThrows(UncheckedIOException.class, () -> record.adoptGeneration(3));
        assertThrows(UncheckedIOException.class, () -> record.protectedWithin(5));
        assertEquals(2, record.generation());
        assertFalse(record.wasProtected());
        assertEquals(2, open().generation());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "generation=",
                "generation=5",
                "generation=5\n",
                "generation=5\ntakeoverLimit",
                "generation=x\ntakeoverLimitNanos=0",
                "generation=0\ntakeoverLimitNanos=0",
                "generation=-3\ntakeoverLimitNanos=0",
                "generation=99999999999999999999\ntakeoverLimitNanos=0",
                "generation=5\ntakeoverLimitNanos=-1",
                "takeoverLimitNanos=0",
                "generation=5\ntakeoverLimitNanos=\\u00zz",
                "<xml/>"
            })
    void shouldRefuseADamagedRecord(final String content) throws IOException {
        Files.createDirectories(file().getParent());
        Files.writeString(file(), content);
        final var refusal = assertThrows(DamagedRecordException.class, this::open);
        assertTrue(refusal.getMessage().contains(file().toString()), refusal::getMessage);
        assertEquals(content, Files.readString(file()), "a damaged record is evidence");
    }

    @Test
    void shouldRefuseARecordThatIsNoText() throws IOException {
        Files.createDirectories(file().getParent());
        Files.write(file(), "generation=5\ntakeoverLimitNanos=0\n#\u00ff".getBytes(StandardCharsets.ISO_8859_1));
        assertThrows(DamagedRecordException.class, this::open);
    }
}
