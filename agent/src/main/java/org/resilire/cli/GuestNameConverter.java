package org.resilire.cli;

import ch.qos.logback.classic.pattern.ClassicConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import org.resilire.role.AgentFleet;

/** Says in a line of the log which guest it is about, where one process serves several: by the group of the thread that logs. */
public final class GuestNameConverter extends ClassicConverter {

    @Override
    public String convert(final ILoggingEvent event) {
        final ThreadGroup group = Thread.currentThread().getThreadGroup();
        return group != null && group.getName().startsWith(AgentFleet.GROUP_PREFIX)
                ? group.getName().substring(AgentFleet.GROUP_PREFIX.length()) + ": "
                : "";
    }
}
