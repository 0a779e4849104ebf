package org.resilire.testbed.lab;

import java.nio.file.Path;

/**
 * The power switch of host A: ends its QEMU and its agent and says so only when both are gone. Shell builtins but for the
 * wait, since a failover waits for it.
 */
final class FenceScript {

    private static final String TEXT = """
            #!/bin/sh
            # Kills the processes recorded in the pid files given ("PID STARTTIME") and exits with 0 once they are gone.
            # A missing file proves nothing, so it is a failure.

            # Runs until the process is gone, not just a zombie some of whose threads still run.
            is_running() {
                read -r stat <"/proc/$1/stat" || return 1
                started=$2
                set -- "$1" ${stat##*) }
                # Behind the name: field 3, the state, is now $2, and field 22, the start time, is ${21}.
                [ "${21}" = "$started" ] || return 1
                [ "$2" = Z ] || return 0
                set -- "/proc/$1/task/"*
                [ "$#" -gt 1 ]
            } 2>/dev/null

            for file; do
                read -r pid started <"$file" || exit 1
                ! is_running "$pid" "$started" || kill -9 "$pid"
            done
            tries=0
            for file; do
                read -r pid started <"$file" || exit 1
                while is_running "$pid" "$started"; do
                    tries=$((tries + 1))
                    [ "$tries" -lt 1000 ] || exit 1
                    sleep 0.002
                done
            done
            """;

    private FenceScript() {}

    static void write(final Path path) {
        LabFiles.writeScript(path, TEXT);
    }
}
