package org.resilire.synthetic;

import java.util.Arrays;
import java.util.Random;

/** Spoils messages. */
public final class Mutations {

    private final Random random;

    public Mutations(final Random random) {
        this.random = random;
    }

    /** Flips bits, sets bytes to extremes, cuts off or appends. What is returned differs from the message. */
    public byte[] spoil(final byte[] message) {
        return spoil(message, message.length);
    }

    /** The same, within the first so many bytes only, or by cutting off. */
    public byte[] spoil(final byte[] message, final int within) {
        final byte[] spoilt = switch (random.nextInt(6)) {
            case 0 -> Arrays.copyOf(message, random.nextInt(message.length));
            case 1 -> Arrays.copyOf(message, message.length + 1 + random.nextInt(64));
            default -> message.clone();
        };
        final int reach = Math.min(within, spoilt.length);
        for (int changes = reach == 0 ? 0 : 1 + random.nextInt(4); changes > 0; changes--) {
            final int at = random.nextInt(reach);
            switch (random.nextInt(4)) {
                case 0 -> spoilt[at] = -1;
                case 1 -> spoilt[at] = Byte.MIN_VALUE;
                default -> spoilt[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            }
        }
        if (Arrays.equals(spoilt, message)) {
            spoilt[0] ^= 1;
        }
        return spoilt;
    }

    public byte[] garbage() {
        final byte[] bytes = new byte[random.nextInt(400)];
        random.nextBytes(bytes);
        return bytes;
    }
}
