package org.resilire.testbed.load;

import java.util.List;

/**
 * What the clients found. Times are null where there is nothing to tell: without a failover, or no operation of that kind.
 *
 * <p>The service is down for a connection from the instant at which the killing began to the first answer that can only have
 * come from the new host. The web client, which asks a few times a second, is not counted there.
 *
 * @param acknowledgedOperations of all connections, to Redis and the web server
 * @param lostOperations acknowledged, but without a trace in the end
 * @param rewinds answers that did not follow from the one before: a counter that jumped, a page that differed
 * @param connections that were opened
 * @param connectionsSurvived that are the same at the end
 * @param downtimeMillisFirst until the first Redis connection was answered again
 * @param downtimeMillisMedian of the Redis connections
 * @param downtimeMillisWorst until the last one was
 * @param latencyMillisP50 of Redis operations while protected, before the kill
 * @param latencyMillisP99 likewise
 * @param unprotectedLatencyMillisP50 of Redis operations before protection
 * @param complaints what is wrong, for people
 */
public record LoadResult(
        long acknowledgedOperations,
        long lostOperations,
        long rewinds,
        int connections,
        int connectionsSurvived,
        Double downtimeMillisFirst,
        Double downtimeMillisMedian,
        Double downtimeMillisWorst,
        Double latencyMillisP50,
        Double latencyMillisP99,
        Double unprotectedLatencyMillisP50,
        List<String> complaints) {}
