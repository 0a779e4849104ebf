package org.resilire.testbed.demo;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Many failovers; the components are the keys of its JSON.
 *
 * @param repeats how many were made
 * @param succeeded in which all promises were kept
 * @param distributions by figure
 */
record FailoverSeries(
        int repeats,
        int succeeded,
        long acknowledgedOperations,
        long lostOperations,
        long rewinds,
        Map<String, Distribution> distributions,
        List<FailoverResult> runs)
        implements RunSeries {

    static FailoverSeries of(final List<FailoverResult> runs) {
        final Map<String, Distribution> distributions = new LinkedHashMap<>();
        distributions.put("detectMillis", Distribution.of(runs, FailoverResult::detectMillis));
        distributions.put("resumeMillis", Distribution.of(runs, FailoverResult::resumeMillis));
        distributions.put("takeoverMillis", Distribution.of(runs, FailoverResult::takeoverMillis));
        distributions.put("serviceDowntimeMillis", Distribution.of(runs, FailoverResult::serviceDowntimeMillis));
        distributions.put(
                "serviceDowntimeMillisFirst", Distribution.of(runs, FailoverResult::serviceDowntimeMillisFirst));
        distributions.put(
                "serviceDowntimeMillisWorst", Distribution.of(runs, FailoverResult::serviceDowntimeMillisWorst));
        distributions.put("pauseMillisP50", Distribution.of(runs, FailoverResult::pauseMillisP50));
        distributions.put("pauseFloorRatio", Distribution.of(runs, FailoverResult::pauseFloorRatio));
        return new FailoverSeries(
                runs.size(),
                RunResult.succeeded(runs),
                RunResult.sum(runs, FailoverResult::acknowledgedOperations),
                RunResult.sum(runs, FailoverResult::lostOperations),
                RunResult.sum(runs, FailoverResult::rewinds),
                distributions,
                List.copyOf(runs));
    }
}
