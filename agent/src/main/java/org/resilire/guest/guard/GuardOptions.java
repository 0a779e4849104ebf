package org.resilire.guest.guard;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What a guard needs to know, and how it is handed over on a command line.
 *
 * @param agentPid process to watch
 * @param qmpSocket of the guest
 * @param flagFile a file that the agent keeps mapped; 8 bytes in it say whether the agent has paused the guest, see
 *     {@link PausedFlag}
 * @param flagOffset of these bytes, a multiple of 8
 * @param resumeLimit how long after the pause the guest may still be resumed: later, the backup may have taken over
 */
public record GuardOptions(long agentPid, Path qmpSocket, Path flagFile, long flagOffset, Duration resumeLimit) {

    private static final int COUNT = 5;

    public GuardOptions {
        if (flagOffset < 0 || flagOffset % Long.BYTES != 0) {
            throw new IllegalArgumentException("the flag's offset must be a multiple of 8, not " + flagOffset);
        }
    }

    /** As {@link #parse} reads it. */
    public List<String> toArguments() {
        return List.of(
                Long.toString(agentPid),
                qmpSocket.toString(),
                flagFile.toString(),
                Long.toString(flagOffset),
                Long.toString(resumeLimit.toMillis()));
    }

    /** Agent's pid, QMP socket, flag file, offset in bytes, limit in milliseconds. */
    public static GuardOptions parse(final List<String> arguments) {
        if (arguments.size() != COUNT) {
            throw new IllegalArgumentException("a guard takes AGENT_PID QMP_SOCKET FLAG_FILE FLAG_OFFSET LIMIT_MILLIS");
        }
        return new GuardOptions(
                Long.parseLong(arguments.get(0)),
                Path.of(arguments.get(1)),
                Path.of(arguments.get(2)),
                Long.parseLong(arguments.get(3)),
                Duration.ofMillis(Long.parseLong(arguments.get(4))));
    }
}
