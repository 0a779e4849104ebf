package org.resilire.synthetic;

import org.agrona.concurrent.Agent;

/** Stops working when told to, as if its host were frozen or gone, and can go on. */
public final class PausableAgent implements Agent {

    private final Agent agent;
    private volatile boolean paused;
    private volatile boolean isResting;

    public PausableAgent(final Agent agent) {
        this.agent = agent;
    }

    /** Returns when the agent does nothing any more. */
    public void pause() {
        isResting = false;
        paused = true;
        Await.until("the agent rests", () -> isResting);
    }

    public void goOn() {
        paused = false;
    }

    @Override
    public int doWork() throws Exception {
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
