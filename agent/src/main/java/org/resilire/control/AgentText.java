package org.resilire.control;

/** What an agent says in words beside its counters. Ids are positions in the counters file, as those of counters are. */
public enum AgentText {
    VM_NAME(0, "vm"),
    /** The other agent, as configured or as connected. */
    PEER(1, "peer"),
    /** The kernel mechanism that finds written pages. */
    DIRTY_TRACKER(2, "dirtyTracker"),
    LAST_ERROR(3, "lastError"),
    /** What of a written page travels, and how. */
    MODE(4, "mode"),
    /** When checkpoints are made. */
    POLICY(5, "policy"),
    /** Each of the guest's disks, and how it is with it. */
    DISKS(6, "disks");

    private final int id;
    private final String label;

    AgentText(final int id, final String label) {
        this.id = id;
        this.label = label;
    }

    public int id() {
        return id;
    }

    /** Its name in JSON. */
    public String label() {
        return label;
    }
}
