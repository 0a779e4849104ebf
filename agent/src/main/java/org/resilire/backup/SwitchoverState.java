package org.resilire.backup;

import org.resilire.wire.sbe.SwitchoverStage;

/**
 * What the link knows of a planned move in its session: what was asked and what is the answer, which is given again as often as the
 * primary asks. Link thread.
 */
final class SwitchoverState {

    private static final long NONE = -1;

    private long epoch = NONE;
    private boolean isCommitted;
    private SwitchoverStage stage;
    private long generation;
    private String text = "";

    void reset() {
        epoch = NONE;
        isCommitted = false;
        stage = null;
        text = "";
    }

    /** A new question: no answer yet. */
    void asked(final long lastEpoch) {
        reset();
        epoch = lastEpoch;
    }

    boolean isAskedFor(final long lastEpoch) {
        return epoch == lastEpoch;
    }

    /** The primary has given the guest away. */
    void committed() {
        isCommitted = true;
    }

    boolean isCommitted() {
        return isCommitted;
    }

    boolean isLoaded() {
        return stage == SwitchoverStage.LOADED;
    }

    void answer(final SwitchoverStage newStage, final long newGeneration, final String newText) {
        stage = newStage;
        generation = newGeneration;
        text = newText;
    }

    /** Says it, if there is an answer. */
    void sendTo(final ReplySender replies, final long sessionId) {
        if (stage != null) {
            replies.switchover(sessionId, generation, epoch, stage, text);
        }
    }
}
