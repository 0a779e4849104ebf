package org.resilire.testbed.evaluate;

import java.util.List;
import java.util.Map;

/** The report's part about what clients feel of a test of the standby. */
final class TrialSection {

    private TrialSection() {}

    static void write(final Html html, final Results results) {
        final Map<Point, List<Sample>> all = results.of(TrialExperiment.NAME);
        if (all.isEmpty()) {
            return;
        }
        html.heading(2, "A test of the standby while clients work");
        html.note(Workload.REDIS.description()
                + ". Windows of 3 s with 'resilire test-failover' under way on the backup's host alternate with windows"
                + " without; each is compared with the two around it. Both hosts share this machine's processors, so that the"
                + " guest on trial takes time from the one that works, which a host of its own would not. Within noise: the mean"
                + " difference is at most two of its standard errors.");
        html.table(
                List.of("", "without", "with", "difference", "its standard error", ""),
                TrialFigures.of(all.values().stream().flatMap(List::stream).toList()).stream()
                        .map(row -> List.of(
                                row.title(),
                                Html.shown(row.without()),
                                Html.shown(row.with()),
                                Html.shown(row.difference()),
                                Html.shown(row.error()),
                                row.verdict()))
                        .toList());
    }
}
