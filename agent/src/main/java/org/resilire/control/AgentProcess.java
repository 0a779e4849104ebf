package org.resilire.control;

/** Whether the process that wrote a counters file still runs. */
public enum AgentProcess {
    RUNNING("running"),
    /** It ended as it should. */
    ENDED("ended"),
    /** It is gone and had not said that it ends. */
    DIED("has died"),
    /** The file does not say which process wrote it. */
    UNKNOWN("not known");

    private final String description;

    AgentProcess(final String description) {
        this.description = description;
    }

    String description() {
        return description;
    }

    /** By process id and start time, since ids are used again. */
    static AgentProcess of(final AgentCountersReader reader) {
        if (!reader.isKnown(AgentCounter.PID) || !reader.isKnown(AgentCounter.PID_START_TICKS)) {
            return UNKNOWN;
        }
        final ProcessIdentity writer =
                new ProcessIdentity(reader.value(AgentCounter.PID), reader.value(AgentCounter.PID_START_TICKS));
        if (writer.isAlive()) {
            return RUNNING;
        }
        return reader.state() == AgentState.STOPPED ? ENDED : DIED;
    }
}
