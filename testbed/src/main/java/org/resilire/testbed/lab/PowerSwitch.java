package org.resilire.testbed.lab;

import java.nio.file.Path;

/**
 * The power switch of any host: ends all that runs in its namespace and says so only when nothing does. For hosts that change roles,
 * whose processes the lab has not started all itself.
 */
final class PowerSwitch {

    private static final String TEXT = """
            #!/bin/sh
            # Kills what runs in the network namespace given and exits with 0 once there is nothing.
            tries=0
            while true; do
                pids=$(ip netns pids "$1") || exit 1
                [ -n "$pids" ] || exit 0
                kill -9 $pids 2>/dev/null
                tries=$((tries + 1))
                [ "$tries" -lt 200 ] || exit 1
                sleep 0.005
            done
            """;

    private PowerSwitch() {}

    static void write(final Path path) {
        LabFiles.writeScript(path, TEXT);
    }
}
