package org.resilire.control;

import java.util.Locale;

/** Which side of a protected guest an agent is, at first: after a failover a backup's agent runs the guest. */
public enum AgentRole {
    PRIMARY(1),
    BACKUP(2);

    private final int code;

    AgentRole(final int code) {
        this.code = code;
    }

    /** In the counter {@link AgentCounter#ROLE}; never changes its meaning. */
    public int code() {
        return code;
    }

    /** As in the run directory's name and in JSON: {@code primary}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The role with this code, or null. */
    public static AgentRole ofCode(final long code) {
        for (final AgentRole role : values()) {
            if (role.code == code) {
                return role;
            }
        }
        return null;
    }
}
