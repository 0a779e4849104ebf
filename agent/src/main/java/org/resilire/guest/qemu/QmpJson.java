package org.resilire.guest.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The object side of QMP. Apart from the hot side, so that a process that needs only that never loads a JSON library. */
final class QmpJson {

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private QmpJson() {}

    static byte[] command(final String name, final Map<String, ?> arguments) {
        final Map<String, Object> command = new LinkedHashMap<>();
        command.put("execute", name);
        if (!arguments.isEmpty()) {
            command.put("arguments", arguments);
        }
        return (MAPPER.writeValueAsString(command) + "\n").getBytes(UTF_8);
    }

    static JsonNode parse(final byte[] message) {
        try {
            return MAPPER.readTree(message);
        } catch (final JacksonException e) {
            throw new QmpException(
                    QmpException.Failure.PROTOCOL, "not QMP: invalid JSON: " + e.getOriginalMessage(), e);
        }
    }
}
