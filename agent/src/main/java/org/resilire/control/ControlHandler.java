package org.resilire.control;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Carries out one command. Runs on the connection's own thread, several at once; it may take its time and hands over to the
 * agent's threads what is theirs to do.
 */
@FunctionalInterface
public interface ControlHandler {

    /**
     * Carries out the command.
     *
     * @param request the whole request, as hostile as any input; {@code command} is this handler's
     * @param progress for commands that take long
     * @return the answer, which the server adds {@code "ok": true} to
     * @throws ControlException to refuse; its message is the answer
     * @throws InterruptedException if the server closes meanwhile
     */
    ObjectNode handle(JsonNode request, ControlProgress progress) throws InterruptedException;
}
