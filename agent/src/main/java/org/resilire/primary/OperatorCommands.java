package org.resilire.primary;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.resilire.control.ControlException;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlProgress;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control commands by which an operator steers protection: {@code pause}, {@code resume} and {@code detach}. They run on control
 * threads and wait until what was asked for has come true, with a line of progress now and then.
 *
 * <pre>
 *   → {"command":"pause"}
 *   ← {"ok":true,"result":"...","changed":true,"backupInformed":true}
 *   → {"command":"resume","waitMillis":60000}          0: do not wait
 *   ← {"progress":"SYNCHRONISING, 40 %"}
 *   ← {"ok":true,"result":"..."}
 *   → {"command":"detach"}
 *   ← {"ok":true,"result":"...","pid":4711}
 * </pre>
 */
final class OperatorCommands {

    /** A backup that cannot be reached may take over for a while yet; until then output stays held. */
    private static final long PAUSE_LIMIT_NANOS = TimeUnit.MINUTES.toNanos(5);

    private static final long DETACH_LIMIT_NANOS = TimeUnit.MINUTES.toNanos(5);
    private final ProtectionSwitch protectionSwitch;
    private final ProtectionWait protectionWait;
    private final Runnable stop;
    private final long pid;

    /** @param stop makes the checkpoint thread end soon; any thread */
    OperatorCommands(
            final ProtectionSwitch protectionSwitch,
            final ProtectionWait protectionWait,
            final Runnable stop,
            final long pid) {
        this.protectionSwitch = protectionSwitch;
        this.protectionWait = protectionWait;
        this.stop = stop;
        this.pid = pid;
    }

    /** By the name of the command. */
    Map<String, ControlHandler> handlers() {
        return Map.of("pause", this::pause, "resume", this::resume, "detach", this::detach);
    }

    private ObjectNode pause(final JsonNode request, final ControlProgress progress) throws InterruptedException {
        final boolean isNews = protectionSwitch.wantPause();
        if (!protectionWait.forCondition(protectionSwitch::awaitPaused, PAUSE_LIMIT_NANOS, progress)) {
            throw new ControlException("protection is not paused yet after " + ProtectionWait.seconds(PAUSE_LIMIT_NANOS)
                    + ", but will be; 'resilire status' tells");
        }
        final boolean informed = protectionSwitch.isBackupInformed();
        final String what = isNews ? "protection is paused" : "protection was paused already";
        return answer(what + ": the guest runs unprotected until 'resilire resume'"
                        + (informed ? "" : "; no backup was there to be told"))
                .put("changed", isNews)
                .put("backupInformed", informed);
    }

    private ObjectNode resume(final JsonNode request, final ControlProgress progress) throws InterruptedException {
        final long waitMillis = ProtectionWait.waitMillis(request);
        protectionSwitch.wantResume();
        if (waitMillis == 0) {
            return answer("protection resumes; 'resilire status' tells when the guest is protected");
        }
        protectionWait.forProtection(waitMillis, () -> true, progress);
        return answer("the guest is protected");
    }

    private ObjectNode detach(final JsonNode request, final ControlProgress progress) throws InterruptedException {
        stop.run();
        final String[] end = new String[1];
        final boolean hasEnded = protectionWait.forCondition(
                nanos -> {
                    end[0] = protectionSwitch.awaitEnd(nanos);
                    return end[0] != null;
                },
                DETACH_LIMIT_NANOS,
                progress);
        if (!hasEnded) {
            throw new ControlException("the agent has not ended after " + ProtectionWait.seconds(DETACH_LIMIT_NANOS)
                    + ", but will; 'resilire status' tells");
        }
        if (!end[0].equals(ProtectionLoop.End.STOPPED.name())) {
            throw new ControlException("the agent ended another way: " + end[0]);
        }
        return answer("protection has ended; the guest goes on without this agent")
                .put("pid", pid);
    }

    private static ObjectNode answer(final String result) {
        return JsonMapper.shared().createObjectNode().put("result", result);
    }
}
