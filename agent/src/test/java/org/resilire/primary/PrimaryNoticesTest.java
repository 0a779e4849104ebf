package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.resilire.transport.Endpoint;
import org.resilire.wire.sbe.CommitSwitchoverDecoder;
import org.resilire.wire.sbe.EndProtectionDecoder;
import org.resilire.wire.sbe.MessageHeaderDecoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.PrepareSwitchoverDecoder;
import org.resilire.wire.sbe.SwitchoverStage;

/** What is said when, at times that the test says. */
class PrimaryNoticesTest {

    private static final int NOTHING = -1;
    private static final long INTERVAL_NANOS = 10_000_000L;

    private final PrimaryNotices notices = new PrimaryNotices();
    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[256]);
    private final Greeting session = new Greeting(new Endpoint("127.0.0.1", 1), "db", 1, 7, 1, 4096, "", "", "");

    /** The type of what is said at that time. */
    private int said(final long nowNanos) {
        final int lengthBytes = notices.encode(buffer, new MessageHeaderEncoder(), session, nowNanos);
        return lengthBytes == 0
                ? NOTHING
                : new MessageHeaderDecoder().wrap(buffer, 0).templateId();
    }

    @Test
    void shouldSayANoticeEverySoOftenUntilItIsAnswered() {
        assertEquals(NOTHING, said(0));
        notices.endOfProtection();
        assertEquals(EndProtectionDecoder.TEMPLATE_ID, said(0));
        assertEquals(NOTHING, said(INTERVAL_NANOS - 1));
        assertEquals(EndProtectionDecoder.TEMPLATE_ID, said(INTERVAL_NANOS));
        assertFalse(notices.isAnswered());
        notices.onReceived();
        assertTrue(notices.isAnswered());
        assertEquals(NOTHING, said(3 * INTERVAL_NANOS));
    }

    /** It stands still meanwhile. */
    @Test
    void shouldGiveTheGuestAwayAsSoonAsTheBackupIsReadyForIt() {
        notices.prepareSwitchover(5);
        assertEquals(PrepareSwitchoverDecoder.TEMPLATE_ID, said(0));
        assertTrue(notices.onSwitchoverAnswer(SwitchoverStage.LOADED, 5, 1, 1));
        notices.commitSwitchover(2);
        assertEquals(CommitSwitchoverDecoder.TEMPLATE_ID, said(1));
    }

    @Test
    void shouldTakeNothingForAnAnswerThatBelongsToAnotherQuestion() {
        assertFalse(notices.onSwitchoverAnswer(SwitchoverStage.LOADED, 5, 1, 0));
        notices.prepareSwitchover(5);
        assertFalse(notices.onSwitchoverAnswer(SwitchoverStage.LOADED, 4, 1, 0));
        assertFalse(notices.onSwitchoverAnswer(SwitchoverStage.RUNNING, 5, 2, 0));
        notices.onReceived();
        assertFalse(notices.isAnswered());
        notices.commitSwitchover(2);
        assertFalse(notices.onSwitchoverAnswer(SwitchoverStage.LOADED, 5, 1, 0));
        assertFalse(notices.onSwitchoverAnswer(SwitchoverStage.RUNNING, 5, 3, 0));
        assertTrue(notices.onSwitchoverAnswer(SwitchoverStage.FAILED, 5, 2, 0));
        assertFalse(notices.onSwitchoverAnswer(SwitchoverStage.FAILED, 5, 2, 0), "it was answered already");
    }
}
