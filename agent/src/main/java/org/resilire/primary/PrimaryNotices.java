package org.resilire.primary;

import org.agrona.MutableDirectBuffer;
import org.resilire.wire.sbe.CommitSwitchoverEncoder;
import org.resilire.wire.sbe.EndProtectionEncoder;
import org.resilire.wire.sbe.GuestLostEncoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.PrepareSwitchoverEncoder;
import org.resilire.wire.sbe.SwitchoverStage;

/**
 * What a primary says to its backup besides epochs, again and again until that answers: how the session ends, or how far a planned move
 * is. One notice at a time, the latest. Any thread announces; the link thread says it and hears the answer.
 */
final class PrimaryNotices {

    private enum Notice {
        GUEST_LOST,
        END_PROTECTION,
        PREPARE_SWITCHOVER,
        COMMIT_SWITCHOVER
    }

    private static final long INTERVAL_NANOS = 10_000_000L;

    private volatile Notice notice;
    /** The epoch or the generation that a notice is about; written before it. */
    private volatile long number;

    private volatile boolean isAnswered;

    // Of the link thread.
    private long nextNanos;

    /** The guest's process ended. */
    void guestLost() {
        announce(Notice.GUEST_LOST, 0);
    }

    /** The guest goes on unprotected. */
    void endOfProtection() {
        announce(Notice.END_PROTECTION, 0);
    }

    /** The device state of this epoch, the session's last, is to be loaded. */
    void prepareSwitchover(final long epoch) {
        announce(Notice.PREPARE_SWITCHOVER, epoch);
    }

    /** The guest is the backup's from here on, as this generation. */
    void commitSwitchover(final long generation) {
        announce(Notice.COMMIT_SWITCHOVER, generation);
    }

    private void announce(final Notice what, final long about) {
        isAnswered = false;
        number = about;
        notice = what;
    }

    /** True once the last notice was answered that is the end of a session; never, if it was forgotten. */
    boolean isAnswered() {
        return isAnswered;
    }

    /** There is nothing to say any more. Link thread, as all that follow. */
    void forget() {
        notice = null;
    }

    /**
     * Writes what is to be said now.
     *
     * @param session whom it is said to
     * @return length of the message, 0 if there is none
     */
    int encode(
            final MutableDirectBuffer buffer,
            final MessageHeaderEncoder header,
            final Greeting session,
            final long nowNanos) {
        final Notice pending = notice;
        if (pending == null || nowNanos < nextNanos) {
            return 0;
        }
        nextNanos = nowNanos + INTERVAL_NANOS;
        return MessageHeaderEncoder.ENCODED_LENGTH
                + switch (pending) {
                    case GUEST_LOST ->
                        new GuestLostEncoder()
                                .wrapAndApplyHeader(buffer, 0, header)
                                .sessionId(session.sessionId())
                                .generation(session.generation())
                                .encodedLength();
                    case END_PROTECTION ->
                        new EndProtectionEncoder()
                                .wrapAndApplyHeader(buffer, 0, header)
                                .sessionId(session.sessionId())
                                .generation(session.generation())
                                .encodedLength();
                    case PREPARE_SWITCHOVER ->
                        new PrepareSwitchoverEncoder()
                                .wrapAndApplyHeader(buffer, 0, header)
                                .sessionId(session.sessionId())
                                .epoch(number)
                                .encodedLength();
                    case COMMIT_SWITCHOVER ->
                        new CommitSwitchoverEncoder()
                                .wrapAndApplyHeader(buffer, 0, header)
                                .sessionId(session.sessionId())
                                .generation(number)
                                .encodedLength();
                };
    }

    /** The backup has heard how the session ends. */
    void onReceived() {
        if (notice == Notice.GUEST_LOST || notice == Notice.END_PROTECTION) {
            notice = null;
            isAnswered = true;
        }
    }

    /**
     * The backup says how far it is with a move.
     *
     * @return false if that is no answer to what is asked: one that was repeated may belong to the question before
     */
    boolean onSwitchoverAnswer(
            final SwitchoverStage stage, final long epoch, final long generation, final long nowNanos) {
        final Notice asked = notice;
        final boolean isAnswer = asked == Notice.PREPARE_SWITCHOVER
                ? (stage == SwitchoverStage.LOADED || stage == SwitchoverStage.FAILED) && epoch == number
                : asked == Notice.COMMIT_SWITCHOVER
                        && (stage == SwitchoverStage.RUNNING || stage == SwitchoverStage.FAILED)
                        && generation == number;
        if (isAnswer) {
            notice = null;
            // The guest stands still: what comes next is not to wait as if it were said again.
            nextNanos = nowNanos;
        }
        return isAnswer;
    }
}
