package org.resilire.testbed.demo;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.resilire.testbed.load.LoadResult;

/**
 * A chain of changes and what the clients found; the components are the keys of its JSON.
 *
 * @param fileSystem of the disk as the last host left it; null without a disk
 * @param distributions of the figures, by their names
 */
record RolesResult(
        long acknowledgedOperations,
        long lostOperations,
        long rewinds,
        int connections,
        int connectionsSurvived,
        String fileSystem,
        Map<String, Distribution> distributions,
        List<RoleChange> changes,
        List<String> brokenPromises) {

    static RolesResult of(
            final List<RoleChange> changes,
            final LoadResult clients,
            final String fileSystem,
            final List<String> brokenPromises) {
        final Map<String, Distribution> distributions = new LinkedHashMap<>();
        distributions.put("detectMillis", Distribution.of(changes, RoleChange::detectMillis));
        distributions.put("resumeMillis", Distribution.of(changes, RoleChange::resumeMillis));
        distributions.put("pauseMillis", Distribution.of(changes, RoleChange::pauseMillis));
        distributions.put("switchoverMillis", Distribution.of(changes, RoleChange::switchoverMillis));
        distributions.put("serviceMillis", Distribution.of(changes, RoleChange::serviceMillis));
        distributions.put("healMillis", Distribution.of(changes, RoleChange::healMillis));
        return new RolesResult(
                clients.acknowledgedOperations(),
                clients.lostOperations(),
                clients.rewinds(),
                clients.connections(),
                clients.connectionsSurvived(),
                fileSystem,
                distributions,
                List.copyOf(changes),
                List.copyOf(brokenPromises));
    }
}
