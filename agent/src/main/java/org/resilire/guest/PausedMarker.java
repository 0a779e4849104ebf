package org.resilire.guest;

/**
 * Told before the agent stops a guest and after it has resumed it, so that a guard outside this process can resume the
 * guest if the agent dies in between. Called by the checkpointing thread on every checkpoint: must be quick and must not
 * throw.
 */
@FunctionalInterface
public interface PausedMarker {

    /** Marks nothing: a guest paused by an agent that dies stays paused. */
    PausedMarker NONE = paused -> {};

    void pausedByAgent(boolean paused);
}
