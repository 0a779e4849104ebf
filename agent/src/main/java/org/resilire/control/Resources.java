package org.resilire.control;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes what an agent is made of in the reverse order of its making, each part whatever became of the others. One thread. */
public final class Resources implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Resources.class);

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    public <T extends AutoCloseable> T add(final T resource) {
        opened.push(resource);
        return resource;
    }

    @Override
    public void close() {
        while (!opened.isEmpty()) {
            final AutoCloseable resource = opened.pop();
            try {
                resource.close();
            } catch (final Exception e) {
                LOG.warn("closing {}: {}", resource.getClass().getSimpleName(), e.getMessage(), e);
            }
        }
    }
}
