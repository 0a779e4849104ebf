package org.resilire.testbed.demo;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Many failovers of a database; the components are the keys of its JSON.
 *
 * @param succeeded that kept every promise
 * @param distributions of the figures, by their names
 */
record DatabaseSeries(
        int repeats,
        int succeeded,
        long acknowledgedTransactions,
        long lostTransactions,
        long lostOnDisk,
        Map<String, Distribution> distributions,
        List<DatabaseResult> runs)
        implements RunSeries {

    static DatabaseSeries of(final List<DatabaseResult> runs) {
        final Map<String, Distribution> distributions = new LinkedHashMap<>();
        distributions.put("detectMillis", Distribution.of(runs, DatabaseResult::detectMillis));
        distributions.put("resumeMillis", Distribution.of(runs, DatabaseResult::resumeMillis));
        distributions.put("takeoverMillis", Distribution.of(runs, DatabaseResult::takeoverMillis));
        distributions.put("serviceDowntimeMillis", Distribution.of(runs, DatabaseResult::serviceDowntimeMillis));
        distributions.put("diskCopyMillis", Distribution.of(runs, DatabaseResult::diskCopyMillis));
        distributions.put("pauseMillisP50", Distribution.of(runs, DatabaseResult::pauseMillisP50));
        distributions.put("commitMillisP50", Distribution.of(runs, DatabaseResult::commitMillisP50));
        distributions.put("latencyMillisP50", Distribution.of(runs, DatabaseResult::latencyMillisP50));
        distributions.put("pgbenchUnprotected", Distribution.of(runs, DatabaseResult::pgbenchUnprotected));
        distributions.put("pgbenchProtected", Distribution.of(runs, DatabaseResult::pgbenchProtected));
        distributions.put("pgbenchAfter", Distribution.of(runs, DatabaseResult::pgbenchAfter));
        return new DatabaseSeries(
                runs.size(),
                RunResult.succeeded(runs),
                RunResult.sum(runs, DatabaseResult::acknowledgedTransactions),
                RunResult.sum(runs, DatabaseResult::lostTransactions),
                RunResult.sum(runs, DatabaseResult::lostOnDisk),
                distributions,
                List.copyOf(runs));
    }
}
