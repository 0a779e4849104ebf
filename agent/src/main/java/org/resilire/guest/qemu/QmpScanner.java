package org.resilire.guest.qemu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.lang.foreign.MemorySegment;

/**
 * Finds the end of QMP messages in a stream of bytes and tells what kind they are, without building objects: the reply to
 * a checkpoint's command is nearly always an empty {@code return}, and nothing of it but its arrival matters.
 *
 * <pre>
 *   {"timestamp": {…}, "event": "STOP"}      top-level keys decide, in any order
 *   {"return": {"status": "paused", …}}      the run state is picked up on the way
 * </pre>
 *
 * Input may come in fragments of any size. Bytes that cannot belong to a JSON object are refused. Not thread-safe.
 */
final class QmpScanner {

    /** What {@link #scan} answers when the message goes on beyond the bytes it was given. */
    static final long INCOMPLETE = -1;

    private static final int MAX_DEPTH = 512;
    private static final int MAX_TOKEN_BYTES = 32;

    private static final byte[] KEY_RETURN = "return".getBytes(US_ASCII);
    private static final byte[] KEY_ERROR = "error".getBytes(US_ASCII);
    private static final byte[] KEY_EVENT = "event".getBytes(US_ASCII);
    private static final byte[] KEY_GREETING = "QMP".getBytes(US_ASCII);
    private static final byte[] KEY_STATUS = "status".getBytes(US_ASCII);

    private static final QmpEvent[] EVENTS = QmpEvent.values();
    private static final byte[][] EVENT_NAMES = new byte[EVENTS.length][];
    private static final RunState[] RUN_STATES = RunState.values();
    private static final byte[][] RUN_STATE_NAMES = new byte[RUN_STATES.length][];

    static {
        for (int i = 0; i < EVENTS.length; i++) {
            EVENT_NAMES[i] = EVENTS[i].name().getBytes(US_ASCII);
        }
        for (int i = 0; i < RUN_STATES.length; i++) {
            RUN_STATE_NAMES[i] = RUN_STATES[i].qmpName().getBytes(US_ASCII);
        }
    }

    /** What a complete message is. */
    enum Kind {
        GREETING,
        RETURN,
        ERROR,
        EVENT,
        OTHER
    }

    private final byte[] token = new byte[MAX_TOKEN_BYTES];
    private int tokenLength;
    private int depth;
    private boolean inString;
    private boolean isEscaped;
    private boolean isKeyExpected;
    private boolean isObjectAtDepthTwo;
    private boolean isStatusKey;
    private boolean isEventKey;
    private Kind kind = Kind.OTHER;
    private QmpEvent event = QmpEvent.OTHER;
    private RunState runState = RunState.OTHER;

    /** Of the last complete message. */
    Kind kind() {
        return kind;
    }

    /** Of the last complete message, if it was an event. */
    QmpEvent event() {
        return event;
    }

    /** Of the last complete message, if it was the reply to {@code query-status}; otherwise {@link RunState#OTHER}. */
    RunState runState() {
        return runState;
    }

    /** Forgets a half-read message. */
    void reset() {
        depth = 0;
        inString = false;
        isEscaped = false;
    }

    /**
     * Reads on.
     *
     * @return the offset behind the message's last byte, or {@link #INCOMPLETE} when all of {@code [from, to)} was read
     * @throws QmpException if the bytes cannot be QMP
     */
    long scan(final MemorySegment bytes, final long from, final long to) {
        for (long i = from; i < to; i++) {
            final byte b = bytes.get(JAVA_BYTE, i);
            if (inString) {
                onStringByte(b);
            } else if (onStructuralByte(b)) {
                return i + 1;
            }
        }
        return INCOMPLETE;
    }

    private void onStringByte(final byte b) {
        if (isEscaped) {
            isEscaped = false;
        } else if (b == '\\') {
            isEscaped = true;
        } else if (b == '"') {
            inString = false;
            onStringEnd();
            return;
        }
        // A token too long for the buffer matches no name: its length goes on counting.
        if (tokenLength < MAX_TOKEN_BYTES) {
            token[tokenLength] = b;
        }
        tokenLength++;
    }

    /** True when the message is complete. */
    private boolean onStructuralByte(final byte b) {
        switch (b) {
            case '{', '[' -> open(b == '{');
            case '}', ']' -> {
                return close();
            }
            case '"' -> {
                requireInsideMessage(b);
                inString = true;
                tokenLength = 0;
            }
            case ',' -> {
                requireInsideMessage(b);
                isKeyExpected = depth == 1 || isObjectAtDepthTwo;
            }
            case ':' -> {
                requireInsideMessage(b);
                isKeyExpected = false;
            }
            case ' ', '\t', '\r', '\n' -> {}
            default -> requireInsideMessage(b);
        }
        return false;
    }

    private void open(final boolean isObject) {
        if (depth == 0) {
            if (!isObject) {
                throw QmpException.protocol("a message starts with '[' where '{' was expected");
            }
            startMessage();
        }
        if (++depth > MAX_DEPTH) {
            throw QmpException.protocol("a message is nested deeper than " + MAX_DEPTH + " levels");
        }
        if (depth == 2) {
            isObjectAtDepthTwo = isObject;
            isStatusKey = false;
        }
        isKeyExpected = isObject;
    }

    private boolean close() {
        if (depth == 0) {
            throw QmpException.protocol("a closing bracket where a message was expected");
        }
        depth--;
        isKeyExpected = false;
        return depth == 0;
    }

    private void startMessage() {
        kind = Kind.OTHER;
        event = QmpEvent.OTHER;
        runState = RunState.OTHER;
        isEventKey = false;
    }

    private void requireInsideMessage(final byte b) {
        if (depth == 0) {
            throw QmpException.protocol("byte 0x" + Integer.toHexString(b & 0xff) + " where '{' was expected");
        }
    }

    private void onStringEnd() {
        if (depth == 1) {
            if (isKeyExpected) {
                onTopLevelKey();
            } else if (isEventKey) {
                final int i = indexOfToken(EVENT_NAMES);
                event = i < 0 ? QmpEvent.OTHER : EVENTS[i];
            }
        } else if (depth == 2 && isObjectAtDepthTwo && kind == Kind.RETURN) {
            if (isKeyExpected) {
                isStatusKey = tokenEquals(KEY_STATUS);
            } else if (isStatusKey) {
                final int i = indexOfToken(RUN_STATE_NAMES);
                runState = i < 0 ? RunState.OTHER : RUN_STATES[i];
            }
        }
    }

    private void onTopLevelKey() {
        isEventKey = false;
        if (tokenEquals(KEY_RETURN)) {
            become(Kind.RETURN);
        } else if (tokenEquals(KEY_ERROR)) {
            become(Kind.ERROR);
        } else if (tokenEquals(KEY_GREETING)) {
            become(Kind.GREETING);
        } else if (tokenEquals(KEY_EVENT)) {
            become(Kind.EVENT);
            isEventKey = true;
        }
    }

    private void become(final Kind newKind) {
        if (kind != Kind.OTHER) {
            throw QmpException.protocol("a message claims to be both " + kind + " and " + newKind);
        }
        kind = newKind;
    }

    private int indexOfToken(final byte[][] names) {
        for (int i = 0; i < names.length; i++) {
            if (tokenEquals(names[i])) {
                return i;
            }
        }
        return -1;
    }

    private boolean tokenEquals(final byte[] name) {
        if (tokenLength != name.length) {
            return false;
        }
        for (int i = 0; i < name.length; i++) {
            if (token[i] != name[i]) {
                return false;
            }
        }
        return true;
    }
}
