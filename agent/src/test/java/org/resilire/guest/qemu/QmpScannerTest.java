package org.resilire.guest.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QmpScannerTest {

    private static final String STREAM = """
            {"QMP": {"version": {"qemu": {"micro": 22}}, "capabilities": ["oob"]}}\r
            {"return": {}}\r
            {"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}\r
            {"return": {"status": "paused", "singlestep": false, "running": false}}\r
            {"error": {"class": "GenericError", "desc": "no } \\" [ event"}}\r
            """;
    private static final List<String> KINDS = List.of(
            "GREETING OTHER OTHER",
            "RETURN OTHER OTHER",
            "EVENT STOP OTHER",
            "RETURN OTHER PAUSED",
            "ERROR OTHER OTHER");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"return\": {}}|RETURN|OTHER|OTHER",
                "{\"return\": [], \"id\": \"event\"}|RETURN|OTHER|OTHER",
                "{\"id\": \"event\", \"return\": 1}|RETURN|OTHER|OTHER",
                "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1}}|EVENT|STOP|OTHER",
                "{\"data\": {\"event\": \"STOP\", \"status\": \"paused\"}, \"event\": \"RESUME\"}|EVENT|RESUME|OTHER",
                "{\"event\": \"SOMETHING_NEW\"}|EVENT|OTHER|OTHER",
                "{\"event\": \"STOP_AND_THEN_SOMETHING_OF_MORE_THAN_32_BYTES\"}|EVENT|OTHER|OTHER",
                "{\"return\": {\"x\": {\"status\": \"paused\"}, \"status\": \"inmigrate\"}}|RETURN|OTHER|INMIGRATE",
                "{\"return\": [\"status\", \"paused\"]}|RETURN|OTHER|OTHER",
                "{\"return\": {\"status\": \"inmigrate\", \"x\": {\"status\": \"paused\"}}}|RETURN|OTHER|INMIGRATE",
                "{\"return\": {\"x\": \"status\", \"y\": \"paused\"}}|RETURN|OTHER|OTHER",
                "{\"return\": {\"status\": \"running\"}}|RETURN|OTHER|RUNNING",
                "{\"return\": {\"status\": \"colo\"}}|RETURN|OTHER|OTHER",
                "{\"error\": {\"desc\": \"\\\\\\\"}\"}}|ERROR|OTHER|OTHER",
                "{}|OTHER|OTHER|OTHER"
            })
    void shouldTellWhatAMessageIs(final String message, final String kind, final String event, final String state) {
        assertEquals(List.of(kind + " " + event + " " + state), scanInPieces(message, message.length()));
    }

    @Test
    void shouldReadAStreamCutAnywhere() {
        for (int piece = 1; piece < 40; piece++) {
            assertEquals(KINDS, scanInPieces(STREAM, piece), "in pieces of " + piece);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "QEMU 7.2.22 monitor",
                "[]",
                "}",
                "\"QMP\"",
                "{\"return\": 1, \"event\": \"STOP\"}",
                "{\"return\": 1, \"return\": 2}",
                "{} x",
                "HTTP/1.1 400"
            })
    void shouldRefuseWhatIsNoMessage(final String bytes) {
        final QmpException e = assertThrows(QmpException.class, () -> scanInPieces(bytes, 3));
        assertEquals(QmpException.Failure.PROTOCOL, e.failure());
    }

    @Test
    void shouldRefuseBottomlessNesting() {
        assertThrows(QmpException.class, () -> scanInPieces("{\"return\":" + "[".repeat(100_000), 4096));
    }

    @Test
    void shouldEndOnAnyBytes() {
        final Random random = new Random(42);
        final String alphabet = "{}[]\",: \\abcretunSTOP\r\n1";
        for (int i = 0; i < 2_000; i++) {
            final StringBuilder bytes = new StringBuilder("{");
            for (int j = 0; j < 60; j++) {
                bytes.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                scanInPieces(bytes.toString(), 1 + random.nextInt(60));
            } catch (final QmpException e) {
                assertEquals(QmpException.Failure.PROTOCOL, e.failure());
            }
        }
    }

    private static List<String> scanInPieces(final String text, final int pieceBytes) {
        final MemorySegment bytes = MemorySegment.ofArray(text.getBytes(UTF_8));
        final QmpScanner scanner = new QmpScanner();
        final List<String> messages = new ArrayList<>();
        long from = 0;
        long to = 0;
        while (to < bytes.byteSize()) {
            to = Math.min(to + pieceBytes, bytes.byteSize());
            while (from < to) {
                final long end = scanner.scan(bytes, from, to);
                if (end == QmpScanner.INCOMPLETE) {
                    from = to;
                } else {
                    from = end;
                    messages.add(scanner.kind() + " " + scanner.event() + " " + scanner.runState());
                }
            }
        }
        return messages;
    }
}
