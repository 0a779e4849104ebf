package org.resilire.primary;

import org.HdrHistogram.Histogram;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlProgress;
import org.resilire.control.LatencyRecorder;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control command {@code sample}: the distributions since it was last given. The counters hold those of the agent's whole
 * life, which tell little about the last second. For measurements, by one client at a time; on a control thread.
 */
final class SampleHandler implements ControlHandler {

    private final PrimaryMetrics metrics;

    SampleHandler(final PrimaryMetrics metrics) {
        this.metrics = metrics;
    }

    @Override
    public ObjectNode handle(final JsonNode request, final ControlProgress progress) {
        final ObjectNode answer = JsonMapper.shared().createObjectNode();
        answer.put("policy", metrics.policy());
        answer.put("periodNanos", metrics.periodNanos());
        put(answer, "pauseNanos", metrics.pauseNanos());
        put(answer, "scanNanos", metrics.scanNanos());
        put(answer, "commitNanos", metrics.commitNanos());
        put(answer, "dirtyPages", metrics.dirtyPages());
        return answer;
    }

    private static void put(final ObjectNode answer, final String name, final LatencyRecorder recorder) {
        final Histogram sample = recorder.takeSample();
        final ObjectNode values = answer.putObject(name);
        values.put("count", sample.getTotalCount());
        if (sample.getTotalCount() > 0) {
            values.put("mean", sample.getMean());
            values.put("p50", sample.getValueAtPercentile(50));
            values.put("p99", sample.getValueAtPercentile(99));
            values.put("max", sample.getMaxValue());
        }
    }
}
