package org.resilire.primary;

import java.nio.charset.StandardCharsets;
import org.agrona.concurrent.UnsafeBuffer;
import org.resilire.transport.Endpoint;
import org.resilire.wire.sbe.MessageHeaderDecoder;
import org.resilire.wire.sbe.MessageHeaderEncoder;
import org.resilire.wire.sbe.SwitchoverAnswerDecoder;
import org.resilire.wire.sbe.SwitchoverAnswerEncoder;
import org.resilire.wire.sbe.SwitchoverStage;

/**
 * Says to nobody what is said in a planned move and reads what is answered, so that the classes for it are loaded before the guest stands
 * still. Some milliseconds the first time, nothing to speak of later.
 */
final class SwitchoverRehearsal {

    private static final Greeting NOBODY =
            new Greeting(new Endpoint("127.0.0.1", 1), "rehearsal", 1, 1, 1, 0, "", "", "");
    private static final int BUFFER_BYTES = 256;

    private SwitchoverRehearsal() {}

    static void run() {
        final PrimaryNotices notices = new PrimaryNotices();
        final PrimarySession session = new PrimarySession();
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[BUFFER_BYTES]);
        final MessageHeaderEncoder header = new MessageHeaderEncoder();
        notices.prepareSwitchover(1);
        notices.encode(buffer, header, NOBODY, 0);
        answer(notices, session, buffer, header, SwitchoverStage.LOADED);
        notices.commitSwitchover(1);
        notices.encode(buffer, header, NOBODY, 0);
        answer(notices, session, buffer, header, SwitchoverStage.RUNNING);
    }

    private static void answer(
            final PrimaryNotices notices,
            final PrimarySession session,
            final UnsafeBuffer buffer,
            final MessageHeaderEncoder header,
            final SwitchoverStage stage) {
        final byte[] text = "rehearsed".getBytes(StandardCharsets.UTF_8);
        new SwitchoverAnswerEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .sessionId(1)
                .generation(1)
                .epoch(1)
                .stage(stage)
                .putText(text, 0, text.length);
        final SwitchoverAnswerDecoder message =
                new SwitchoverAnswerDecoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderDecoder());
        notices.onSwitchoverAnswer(stage, message.epoch(), message.generation(), 0);
        session.switchoverAnswered(new PrimarySession.SwitchoverReply(stage, message.generation(), message.text()));
    }
}
