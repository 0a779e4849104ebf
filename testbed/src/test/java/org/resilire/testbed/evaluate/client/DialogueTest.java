package org.resilire.testbed.evaluate.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.testbed.evaluate.client.LoadSpec.Protocol;

class DialogueTest {

    private static final String ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nServer: x\r\n\r\n0123456789";

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 60, 1_000})
    void shouldFindTheEndOfAnAnswerInWhateverPiecesItComes(final int pieceBytes) {
        final Dialogue dialogue = Dialogue.of(Protocol.HTTP_SESSIONS, 1);
        dialogue.request(ByteBuffer.allocate(1_024));
        final ByteBuffer received = ByteBuffer.allocate(1_024);
        final byte[] bytes = ANSWER.getBytes(StandardCharsets.US_ASCII);
        for (int from = 0; from < bytes.length; from += pieceBytes) {
            assertFalse(dialogue.isAnswered());
            received.put(bytes, from, Math.min(pieceBytes, bytes.length - from)).flip();
            for (int used = dialogue.consume(received); used > 0; used = dialogue.consume(received)) {
                received.position(received.position() + used);
            }
            received.compact();
        }
        assertTrue(dialogue.isAnswered());
        assertEquals(0, received.position());
    }

    @Test
    void shouldNotTakeARefusalForAnAnswer() {
        final Dialogue web = Dialogue.of(Protocol.HTTP_SESSIONS, 1);
        web.request(ByteBuffer.allocate(1_024));
        assertThrows(IllegalStateException.class, () -> web.consume(bytes("HTTP/1.1 404 Not Found\r\n\r\n")));
        final Dialogue redis = Dialogue.of(Protocol.REDIS_SET, 1);
        redis.request(ByteBuffer.allocate(1_024));
        assertEquals(0, redis.consume(bytes("+OK")));
        assertThrows(IllegalStateException.class, () -> redis.consume(bytes("-OOM command not allowed\r\n")));
    }

    private static ByteBuffer bytes(final String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }
}
