package org.resilire.testbed.demo;

import org.resilire.testbed.load.LoadResult;

/** What the clients found; null where it did not come to it. Times are rounded as {@link Figures#rounded} does. */
record ClientFigures(
        Long acknowledged,
        Long lost,
        Long rewinds,
        Integer connections,
        Integer connectionsSurvived,
        Double downtimeMillisFirst,
        Double downtimeMillisMedian,
        Double downtimeMillisWorst,
        Double latencyMillisP50,
        Double latencyMillisP99,
        Double unprotectedLatencyMillisP50) {

    private static final ClientFigures UNKNOWN =
            new ClientFigures(null, null, null, null, null, null, null, null, null, null, null);

    /** @param clients null if they could not be asked */
    static ClientFigures of(final LoadResult clients) {
        return clients == null
                ? UNKNOWN
                : new ClientFigures(
                        clients.acknowledgedOperations(),
                        clients.lostOperations(),
                        clients.rewinds(),
                        clients.connections(),
                        clients.connectionsSurvived(),
                        Figures.rounded(clients.downtimeMillisFirst()),
                        Figures.rounded(clients.downtimeMillisMedian()),
                        Figures.rounded(clients.downtimeMillisWorst()),
                        Figures.rounded(clients.latencyMillisP50()),
                        Figures.rounded(clients.latencyMillisP99()),
                        Figures.rounded(clients.unprotectedLatencyMillisP50()));
    }
}
