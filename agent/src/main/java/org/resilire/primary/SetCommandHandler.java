package org.resilire.primary;

import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.resilire.control.ControlException;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlProgress;
import org.resilire.epoch.ModeChoice;
import org.resilire.epoch.PolicySettings;
import org.resilire.epoch.ReplicationMode;
import org.resilire.linux.LinuxException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control command {@code set}. When checkpoints are made changes from the next epoch on. What travels of a page (see {@link
 * ModeChoice}) changes with a new session: the guest is unprotected until its memory has been copied anew, for which the answer waits.
 * What the request does not name stays; a target replaces both.
 *
 * <pre>
 *   → {"command":"set","policy":"ADAPTIVE","periodNanos":20000000,"minPeriodNanos":1000000,"maxPeriodNanos":200000000,
 *      "targetDelayNanos":10000000,"targetOverhead":0.1,
 *      "mode":"fgbi","identify":"shadow","blockBytes":64,"codec":"auto","sharing":true,"waitMillis":60000}
 *   ← {"ok":true,"result":"..."}
 * </pre>
 */
final class SetCommandHandler implements ControlHandler {

    private static final Set<String> POLICY_KEYS = new TreeSet<>(
            Set.of("policy", "periodNanos", "minPeriodNanos", "maxPeriodNanos", "targetDelayNanos", "targetOverhead"));

    private static final Set<String> NO_SETTINGS = Set.of("command", "waitMillis");

    private final EpochPace pace;
    private final ModeSwitch modeSwitch;
    private final ProtectionSwitch protectionSwitch;
    private final ProtectionWait protectionWait;
    private final boolean replaysInput;

    /** @param replaysInput as the agent was started: output does not wait for checkpoints, and no request changes that */
    SetCommandHandler(
            final EpochPace pace,
            final ModeSwitch modeSwitch,
            final ProtectionSwitch protectionSwitch,
            final ProtectionWait protectionWait,
            final boolean replaysInput) {
        this.pace = pace;
        this.modeSwitch = modeSwitch;
        this.protectionSwitch = protectionSwitch;
        this.protectionWait = protectionWait;
        this.replaysInput = replaysInput;
    }

    @Override
    public ObjectNode handle(final JsonNode request, final ControlProgress progress) throws InterruptedException {
        final long waitMillis = ProtectionWait.waitMillis(request);
        final StringBuilder result = new StringBuilder();
        final boolean isAnotherMode = change(request, result);
        if (isAnotherMode && waitMillis > 0 && !protectionSwitch.isPauseWanted()) {
            protectionWait.forProtection(waitMillis, () -> !modeSwitch.isChangeWanted(), progress);
            result.append("; the guest is protected again");
        } else if (isAnotherMode) {
            result.append("; the guest is unprotected until its memory is copied anew");
        }
        return JsonMapper.shared().createObjectNode().put("result", result.toString());
    }

    /** All of it or nothing; true if the mode changes. One at a time, for each builds on the one before. */
    private synchronized boolean change(final JsonNode request, final StringBuilder result) {
        boolean changesPolicy = false;
        boolean changesMode = false;
        for (final String key : request.propertyNames()) {
            changesPolicy |= POLICY_KEYS.contains(key);
            changesMode |= ModeRequest.KEYS.contains(key);
            if (!NO_SETTINGS.contains(key) && !POLICY_KEYS.contains(key) && !ModeRequest.KEYS.contains(key)) {
                throw new ControlException("\"" + key + "\" cannot be set, only " + allKeys());
            }
        }
        if (!changesPolicy && !changesMode) {
            throw new ControlException("there is nothing to set: name some of " + allKeys());
        }
        final PolicySettings policy = policy(request, pace.settings());
        if (replaysInput) {
            requireReplayable(request, policy);
        }
        final ReplicationMode before = modeSwitch.mode();
        final ReplicationMode mode = changesMode ? ModeRequest.modeAfter(before, request) : before;
        if (!mode.equals(before)) {
            try {
                modeSwitch.change(mode);
            } catch (final LinuxException e) {
                throw new ControlException("another mode needs memory that is not there: " + e.getMessage(), e);
            }
        }
        if (changesPolicy) {
            pace.change(policy);
            result.append("checkpoints from the next epoch on: ")
                    .append(policy.newPolicy().description());
        }
        if (changesMode) {
            result.append(result.isEmpty() ? "" : "; ")
                    .append(mode.equals(before) ? "the mode is this already: " : "from the next session on: ")
                    .append(mode.description());
        }
        return !mode.equals(before);
    }

    private static void requireReplayable(final JsonNode request, final PolicySettings policy) {
        if (request.has("mode")) {
            throw new ControlException(
                    "--mode llm neither begins nor ends while an agent runs: start 'resilire protect' anew;"
                            + " --identify, --block, --codec and --sharing can be set");
        }
        final boolean isForDelay = policy.kind() == PolicySettings.Kind.ADAPTIVE && policy.targetOverhead() == 0;
        if (policy.kind() == PolicySettings.Kind.OUTPUT || isForDelay) {
            throw new ControlException("with --mode llm output does not wait for checkpoints: use --policy periodic,"
                    + " or adaptive with --target-overhead");
        }
    }

    private static Set<String> allKeys() {
        final Set<String> all = new TreeSet<>(POLICY_KEYS);
        all.addAll(ModeRequest.KEYS);
        return all;
    }

    private static PolicySettings policy(final JsonNode request, final PolicySettings before) {
        final PolicySettings.Kind kind = kind(request.get("policy"), before.kind());
        final boolean givesTarget = request.has("targetDelayNanos") || request.has("targetOverhead");
        if (givesTarget && kind != PolicySettings.Kind.ADAPTIVE) {
            throw new ControlException("a target is for --policy adaptive: add that, or leave it out");
        }
        long delay = nanos(request, "targetDelayNanos", givesTarget ? 0 : before.targetDelayNanos());
        final double overhead = share(request, givesTarget ? 0 : before.targetOverhead());
        if (kind == PolicySettings.Kind.ADAPTIVE && delay == 0 && overhead == 0) {
            delay = PolicySettings.DEFAULT_TARGET_DELAY_NANOS;
        }
        try {
            return new PolicySettings(
                    kind,
                    nanos(request, "periodNanos", before.periodNanos()),
                    nanos(request, "minPeriodNanos", before.minPeriodNanos()),
                    nanos(request, "maxPeriodNanos", before.maxPeriodNanos()),
                    delay,
                    overhead);
        } catch (final IllegalArgumentException e) {
            throw new ControlException(e.getMessage(), e);
        }
    }

    private static PolicySettings.Kind kind(final JsonNode given, final PolicySettings.Kind before) {
        if (given == null) {
            return before;
        }
        for (final PolicySettings.Kind kind : PolicySettings.Kind.values()) {
            if (given.isString() && kind.name().equals(given.stringValue().toUpperCase(Locale.ROOT))) {
                return kind;
            }
        }
        throw new ControlException("\"policy\" must be periodic, output or adaptive");
    }

    private static long nanos(final JsonNode request, final String key, final long before) {
        final JsonNode given = request.get(key);
        if (given == null) {
            return before;
        }
        if (!given.isIntegralNumber() || !given.canConvertToLong() || given.longValue() <= 0) {
            throw new ControlException("\"" + key + "\" must be a whole number of nanoseconds, more than 0");
        }
        return given.longValue();
    }

    private static double share(final JsonNode request, final double before) {
        final JsonNode given = request.get("targetOverhead");
        if (given == null) {
            return before;
        }
        if (!given.isNumber() || !(given.doubleValue() > 0)) {
            throw new ControlException("\"targetOverhead\" must be a number from 0.001 to 0.9");
        }
        return given.doubleValue();
    }
}
