package org.resilire.guest;

import java.lang.foreign.MemorySegment;

/**
 * What is replicated: memory whose writes are tracked, and a state beside it that can be saved while nothing runs. One
 * checkpoint is {@code pause → beginDeviceStateSave → (collect and copy pages) → finishDeviceStateSave → resume}.
 *
 * <p>Not thread-safe: one thread makes checkpoints. {@link #hasExited()} may be asked by any thread.
 */
public interface Guest extends AutoCloseable {

    GuestMemory memory();

    DirtyTracker dirtyTracker();

    /** Returns once nothing of the guest runs. Marks the guest as paused by this agent, so that a guard resumes it if the agent dies. */
    void pause();

    /** Starts saving the device state and returns at once; the guest must be paused. */
    void beginDeviceStateSave();

    /**
     * Waits for the save to end.
     *
     * @param into receives the state from offset 0
     * @return its length in bytes
     * @throws GuestException if the save failed or the state does not fit
     */
    int finishDeviceStateSave(MemorySegment into);

    /** True while this agent keeps the guest from running, also where an agent that died left that to it. */
    boolean isPaused();

    /** Lets the guest run again, if this agent keeps it from that. */
    void resume();

    /**
     * After a call above has failed: sees to it that the guest does not stay paused by this agent, if its process answers.
     * Waits a few seconds at most.
     *
     * @return false if it does not answer: nobody knows what became of the guest; ask again
     */
    boolean recover();

    /**
     * Pauses the guest and sees to it that nothing of this agent resumes it again, neither {@link #close()} nor a guard: another
     * host runs it now (law 3). Does nothing if its process is gone.
     */
    void stopForGood();

    /**
     * Undoes {@link #stopForGood}: the other host has said that it does not run the guest, and will not. The guest is paused by this
     * agent again; {@link #resume()} lets it run.
     */
    void takeBack();

    /** True once the guest's process is gone. */
    boolean hasExited();

    /** Detaches; a guest that this agent had paused is resumed, and goes on untouched. A pause taken over from another stays. */
    @Override
    void close();
}
