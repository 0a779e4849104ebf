package org.resilire.primary;

import java.util.Locale;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCounters;
import org.resilire.control.AgentState;
import org.resilire.control.ControlException;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlProgress;
import org.resilire.net.GuestOutlet;
import org.resilire.net.replay.ReplayCounter;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control command {@code switchover}: has the checkpoint thread move the guest to the backup. On a control thread.
 *
 * <pre>
 *   → {"command":"switchover"}
 *   ← {"ok":true,"result":"...","generation":2,"pauseMillis":12.5,"totalMillis":80.0}
 * </pre>
 */
final class SwitchoverHandler implements ControlHandler {

    private final SwitchoverRequests switchovers;
    private final AgentCounters counters;
    private final GuestOutlet outlet;

    /**
     * Moves nothing yet.
     *
     * @param counters tell whether the guest is protected
     * @param outlet knows of connections that would not survive
     */
    SwitchoverHandler(final SwitchoverRequests switchovers, final AgentCounters counters, final GuestOutlet outlet) {
        this.switchovers = switchovers;
        this.counters = counters;
        this.outlet = outlet;
    }

    @Override
    public ObjectNode handle(final JsonNode request, final ControlProgress progress) throws InterruptedException {
        requireNothingTranslated();
        final SwitchoverRequests.Moved moved =
                switchovers.await(() -> counters.value(AgentCounter.STATE) == AgentState.PROTECTED.code());
        final String result = String.format(
                Locale.ROOT,
                "the guest runs on %s as generation %d; it stood still for at most %.1f ms, the switchover took %.1f ms",
                moved.host(),
                moved.generation(),
                moved.pauseNanos() / 1e6,
                moved.totalNanos() / 1e6);
        return JsonMapper.shared()
                .createObjectNode()
                .put("result", result)
                .put("generation", moved.generation())
                .put("pauseMillis", moved.pauseNanos() / 1e6)
                .put("totalMillis", moved.totalNanos() / 1e6);
    }

    private void requireNothingTranslated() {
        final long translated = outlet.replay()
                .map(replay -> replay.counted(ReplayCounter.TRANSLATED_FLOWS))
                .orElse(0L);
        if (translated > 0) {
            throw new ControlException(
                    "since its takeover this agent translates connections that were opened just before (" + translated
                            + "); they would break if the guest moved");
        }
    }
}
