package org.resilire.testbed.demo;

import java.util.ArrayList;
import java.util.List;
import org.resilire.testbed.load.LoadResult;

/** What must be true after a failover, whatever the figures are. */
final class Promises {

    private Promises() {}

    /** Those that were broken, a sentence each. */
    static List<String> broken(final AgentFigures primary, final LoadResult clients) {
        final List<String> broken = new ArrayList<>();
        if (primary.verifyFailures() > 0) {
            broken.add("at " + primary.verifyFailures() + " epochs host B's memory differed from host A's");
        }
        if (primary.epochs() == 0) {
            broken.add("no epoch was committed");
        }
        if (clients == null) {
            return broken;
        }
        broken.addAll(broken(clients));
        if (clients.downtimeMillisFirst() == null) {
            broken.add("no operation was answered after the failover");
        }
        return broken;
    }

    /** Those to the clients, whatever became of their hosts. */
    static List<String> broken(final LoadResult clients) {
        final List<String> broken = new ArrayList<>();
        if (clients.lostOperations() > 0) {
            broken.add(clients.lostOperations() + " acknowledged operations are lost");
        }
        if (clients.rewinds() > 0) {
            broken.add(clients.rewinds() + " answers did not follow from the one before");
        }
        if (clients.connectionsSurvived() < clients.connections()) {
            broken.add((clients.connections() - clients.connectionsSurvived()) + " of " + clients.connections()
                    + " connections did not survive");
        }
        return broken;
    }
}
