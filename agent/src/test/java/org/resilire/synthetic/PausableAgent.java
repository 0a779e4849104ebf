package org.resilire.synthetic;

import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.Agent;

/** Stops working when told to, as if its host were frozen or gone, and can go on. */
public final class PausableAgent implements Agent {

    private final Agent agent;
    private volatile boolean paused;
    private volatile boolean isResting;
    private final AtomicLong cycles = new AtomicLong();

    public PausableAgent(final Agent agent) {
        this.agent = agent;
    }

    /** Returns when the agent does nothing any more. */
    public void pause() {
        isResting = false;
        paused = true;
        Await.until("the agent rests", () -> isResting);
    }

    /**
     * Returns when the agent has gone round so often, if only to rest: time that a test lets pass must not run away from the
     * threads that live in it.
     */
    public void awaitCycles(final int count) {
        final long until = cycles.get() + count;
        Await.until("the agent goes round", () -> cycles.get() >= until);
    }

    public void goOn() {
        paused = false;
    }

    @Override
    public int doWork() throws Exception {
        cycles.incrementAndGet();
        if (paused) {
            isResting = true;
            return 0;
        }
        return agent.doWork();
    }

    @Override
    public void onClose() {
        agent.onClose();
    }

    @Override
    public String roleName() {
        return agent.roleName();
    }
}
