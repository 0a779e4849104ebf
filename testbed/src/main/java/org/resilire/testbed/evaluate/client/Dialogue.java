package org.resilire.testbed.evaluate.client;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/** What one connection says, and where an answer ends. One thread. */
abstract class Dialogue {

    /** Writes the next request; the buffer has room. */
    abstract void request(ByteBuffer into);

    /**
     * Looks at what was received.
     *
     * @return how many bytes from the buffer's position are an answer, or are known to be part of one and can go; 0: wait for more
     */
    abstract int consume(ByteBuffer received);

    /** True once all of the answer was consumed. */
    abstract boolean isAnswered();

    /** Whether the answer was one to this request, as far as it can be told. */
    boolean isRight() {
        return true;
    }

    static Dialogue of(final LoadSpec.Protocol protocol, final int connection) {
        return switch (protocol) {
            case REDIS_SET -> new RedisSets(connection);
            case HTTP_FILE_256K -> new HttpGets(connection, "/256k.bin", 0);
            case HTTP_SESSIONS -> new HttpGets(connection, "/session/", 1L << 31);
            case HTTP_FILE_OPERATIONS -> new HttpGets(connection, "/file/", 1L << 31);
            case HTTP_SMALL -> new HttpGets(connection, "/", 0);
            case HTTP_WORK -> new NumberedGets(connection);
        };
    }

    /** SET of values that are half text, half noise. */
    private static final class RedisSets extends Dialogue {

        private static final int KEYS = 20_000;
        private static final int VALUE_BYTES = 256;
        private static final byte[] OK = "+OK\r\n".getBytes(StandardCharsets.US_ASCII);

        private final SplittableRandom random;
        private boolean isAnswered;

        RedisSets(final int connection) {
            random = new SplittableRandom(connection);
        }

        @Override
        void request(final ByteBuffer into) {
            final String key = "key:" + random.nextInt(KEYS);
            into.put(("*3\r\n$3\r\nSET\r\n$" + key.length() + "\r\n" + key + "\r\n$" + VALUE_BYTES + "\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            for (int i = 0; i < VALUE_BYTES / 2; i++) {
                into.put((byte) ('a' + i % 26));
            }
            for (int i = 0; i < VALUE_BYTES / 2 / Long.BYTES; i++) {
                into.putLong(random.nextLong());
            }
            into.put((byte) '\r').put((byte) '\n');
            isAnswered = false;
        }

        @Override
        int consume(final ByteBuffer received) {
            if (received.remaining() < OK.length) {
                return 0;
            }
            for (int i = 0; i < OK.length; i++) {
                if (received.get(received.position() + i) != OK[i]) {
                    throw new IllegalStateException("Redis did not answer a SET with OK");
                }
            }
            isAnswered = true;
            return OK.length;
        }

        @Override
        boolean isAnswered() {
            return isAnswered;
        }
    }

    /** GET of numbers that the answers repeat. */
    private static final class NumberedGets extends HttpGets {

        private static final String DONE = "done ";

        NumberedGets(final int connection) {
            super(connection, "/compute/", 1L << 31);
        }

        private boolean isRight;

        @Override
        int consumeBody(final ByteBuffer received, final long bodyBytes) {
            if (received.remaining() < bodyBytes) {
                return 0;
            }
            final byte[] body = new byte[(int) bodyBytes];
            received.get(received.position(), body);
            isRight = new String(body, StandardCharsets.US_ASCII).startsWith(DONE + number() + " ");
            return body.length;
        }

        @Override
        boolean isRight() {
            return isRight;
        }
    }

    /** GET of paths that are numbered at random, or of one path. */
    private static class HttpGets extends Dialogue {

        private static final String LENGTH = "content-length:";

        private final String path;
        private final long numbers;
        private final SplittableRandom random;
        private long bodyLeft = -1;
        private String number = "";

        /** @param numbers how many paths there are; 0: the path alone */
        HttpGets(final int connection, final String path, final long numbers) {
            this.path = path;
            this.numbers = numbers;
            random = new SplittableRandom(connection);
        }

        @Override
        void request(final ByteBuffer into) {
            number = numbers == 0 ? "" : Long.toString(random.nextLong(numbers));
            into.put(("GET " + path + number + " HTTP/1.1\r\nHost: guest\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            bodyLeft = -1;
        }

        @Override
        int consume(final ByteBuffer received) {
            if (bodyLeft < 0) {
                return consumeHeader(received);
            }
            final int bytes = consumeBody(received, bodyLeft);
            bodyLeft -= bytes;
            return bytes;
        }

        /** Of the last request. */
        final String number() {
            return number;
        }

        int consumeBody(final ByteBuffer received, final long bodyBytes) {
            return (int) Math.min(bodyBytes, received.remaining());
        }

        private int consumeHeader(final ByteBuffer received) {
            final byte[] bytes = new byte[Math.min(received.remaining(), 1024)];
            received.get(received.position(), bytes);
            final String text = new String(bytes, StandardCharsets.US_ASCII);
            final int end = text.indexOf("\r\n\r\n");
            if (end < 0) {
                return 0;
            }
            if (!text.startsWith("HTTP/1.1 200 ")) {
                throw new IllegalStateException(
                        "the web server answered " + text.lines().findFirst().orElse(""));
            }
            final String lower = text.substring(0, end).toLowerCase(java.util.Locale.ROOT);
            final int from = lower.indexOf(LENGTH) + LENGTH.length();
            if (from < LENGTH.length()) {
                throw new IllegalStateException("the web server's answer has no length");
            }
            final int to = lower.indexOf('\r', from);
            bodyLeft = Long.parseLong(
                    lower.substring(from, to < 0 ? lower.length() : to).strip());
            return end + 4;
        }

        @Override
        boolean isAnswered() {
            return bodyLeft == 0;
        }
    }
}
