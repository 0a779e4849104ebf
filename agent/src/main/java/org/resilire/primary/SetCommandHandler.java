package org.resilire.primary;

import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.resilire.control.ControlException;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlProgress;
import org.resilire.epoch.PolicySettings;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control command {@code set}: when checkpoints are made, from the next epoch on. What the request does not name stays; a target
 * replaces both.
 *
 * <pre>
 *   → {"command":"set","policy":"ADAPTIVE","periodNanos":20000000,"minPeriodNanos":1000000,"maxPeriodNanos":200000000,
 *      "targetDelayNanos":10000000,"targetOverhead":0.1}
 *   ← {"ok":true,"result":"..."}
 * </pre>
 */
final class SetCommandHandler implements ControlHandler {

    private static final Set<String> KEYS = new TreeSet<>(
            Set.of("policy", "periodNanos", "minPeriodNanos", "maxPeriodNanos", "targetDelayNanos", "targetOverhead"));

    private final EpochPace pace;

    SetCommandHandler(final EpochPace pace) {
        this.pace = pace;
    }

    @Override
    public synchronized ObjectNode handle(final JsonNode request, final ControlProgress progress) {
        for (final String key : request.propertyNames()) {
            if (!key.equals("command") && !KEYS.contains(key)) {
                throw new ControlException("\"" + key + "\" cannot be set, only " + KEYS);
            }
        }
        if (request.size() < 2) {
            throw new ControlException("there is nothing to set: name some of " + KEYS);
        }
        final PolicySettings settings = policy(request, pace.settings());
        pace.change(settings);
        return JsonMapper.shared()
                .createObjectNode()
                .put(
                        "result",
                        "checkpoints from the next epoch on: "
                                + settings.newPolicy().description());
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
