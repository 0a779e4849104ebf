package org.resilire.codec;

import java.util.EnumMap;
import java.util.Map;
import org.agrona.concurrent.NanoClock;

/**
 * Chooses, batch by batch, the coding with which the last byte leaves soonest: the time that encoding and compressing takes plus
 * the time that the link takes for what is left. Both are measured; codings that are not in use are tried now and then, since
 * guests change what they do. As long as the link never was what everybody waited for, nothing is compressed. A codec that the
 * user fixed leaves no choice. Allocates nothing. Not thread-safe.
 */
public final class CompressionChoice {

    /** A coding that is not in use is tried once in so long, in nanoseconds. */
    static final long TRIAL_INTERVAL_NANOS = 100_000_000L;
    /** And once in so many batches, where they are few. */
    static final int TRIAL_INTERVAL_BATCHES = 8;
    /** From smaller batches nothing is learnt. */
    static final int SMALLEST_TRIAL_BYTES = 4_096;
    /** Another coding must be better by so much: changing back and forth between equals is no use. */
    private static final double GAIN = 0.95;

    private static final double LINK_WEIGHT = 0.25;

    private final NanoClock clock;
    private final BatchCoding[] codings;
    private final CodingCost[] costs;
    private final Map<BatchCoding, CodingCost> costOf = new EnumMap<>(BatchCoding.class);

    private int current;
    private int nextTrial;
    private long lastTrialNanos;
    private int batchesSinceTrial;
    private double linkNanosPerByte;
    private long trials;

    public CompressionChoice(final EncoderOptions options, final NanoClock clock) {
        this.clock = clock;
        this.codings = codings(options);
        this.costs = new CodingCost[codings.length];
        for (int i = 0; i < costs.length; i++) {
            costs[i] = new CodingCost();
            costOf.put(codings[i], costs[i]);
        }
        this.lastTrialNanos = clock.nanoTime() - TRIAL_INTERVAL_NANOS;
    }

    /** The first one is in use until something else is known to be better. */
    private static BatchCoding[] codings(final EncoderOptions options) {
        if (options.codec() != PageCodec.AUTO) {
            return new BatchCoding[] {fixed(options)};
        }
        return options.delta()
                ? new BatchCoding[] {
                    BatchCoding.LANES, BatchCoding.LANES_PACK, BatchCoding.LANES_PACK_LZ4, BatchCoding.BLOCKS_LZ4
                }
                : new BatchCoding[] {BatchCoding.BLOCKS, BatchCoding.BLOCKS_LZ4};
    }

    private static BatchCoding fixed(final EncoderOptions options) {
        final PageCodec codec = options.codec();
        final BatchCompression compression = BatchCompression.of(codec.packs(), codec.lz4());
        for (final BatchCoding coding : BatchCoding.values()) {
            if (coding.delta() == options.delta() && coding.compression() == compression) {
                return coding;
            }
        }
        throw new IllegalArgumentException("codec " + codec.text() + " needs a copy of what was sent");
    }

    /**
     * The coding for the next batch.
     *
     * @param capturedBytes length of the batch before encoding
     */
    public BatchCoding next(final int capturedBytes) {
        if (codings.length > 1 && capturedBytes >= SMALLEST_TRIAL_BYTES && linkNanosPerByte != 0) {
            final long now = clock.nanoTime();
            batchesSinceTrial++;
            if (batchesSinceTrial > TRIAL_INTERVAL_BATCHES && now - lastTrialNanos >= TRIAL_INTERVAL_NANOS) {
                batchesSinceTrial = 0;
                lastTrialNanos = now;
                return codings[trial()];
            }
        }
        return codings[current];
    }

    private int trial() {
        nextTrial = (nextTrial + 1) % codings.length;
        if (nextTrial == current) {
            nextTrial = (nextTrial + 1) % codings.length;
        }
        trials++;
        return nextTrial;
    }

    /**
     * Says what a batch came to.
     *
     * @param coding what {@link #next} returned for it
     * @param capturedBytes length before encoding
     * @param wireBytes length of what travels
     * @param nanos time that encoding and compressing took
     */
    public void onEncoded(final BatchCoding coding, final int capturedBytes, final int wireBytes, final long nanos) {
        if (codings.length == 1 || capturedBytes <= 0) {
            return;
        }
        costOf.get(coding).onMeasured(capturedBytes, wireBytes, nanos);
        choose();
    }

    /**
     * Says what the link gave, best once an epoch.
     *
     * @param bytes what left
     * @param nanos time it took until the backup said that it had all: what was merely put into a buffer has not left
     * @param saturated whether the link pushed back meanwhile; otherwise it could have carried more
     */
    public void onLink(final long bytes, final long nanos, final boolean saturated) {
        if (codings.length == 1 || bytes <= 0 || nanos <= 0) {
            return;
        }
        final double measured = (double) nanos / bytes;
        if (saturated) {
            linkNanosPerByte =
                    linkNanosPerByte == 0 ? measured : linkNanosPerByte + LINK_WEIGHT * (measured - linkNanosPerByte);
        } else if (linkNanosPerByte != 0) {
            linkNanosPerByte = Math.min(linkNanosPerByte, measured);
        }
        choose();
    }

    private void choose() {
        if (!costs[current].isKnown()) {
            return;
        }
        int best = current;
        double bestNanos = costs[current].totalNanos(linkNanosPerByte) * GAIN;
        for (int i = 0; i < costs.length; i++) {
            if (i != current && costs[i].isKnown()) {
                final double nanos = costs[i].totalNanos(linkNanosPerByte);
                if (nanos < bestNanos) {
                    best = i;
                    bestNanos = nanos;
                }
            }
        }
        current = best;
    }

    /** The coding in use. */
    public BatchCoding current() {
        return codings[current];
    }

    /** What the link was last seen to carry, in bytes a second; 0 if it never was what everybody waited for. */
    public long linkBytesPerSecond() {
        return linkNanosPerByte == 0 ? 0 : (long) (1e9 / linkNanosPerByte);
    }

    /** Batches that went out in a coding not in use, to see what it would be worth. */
    public long trials() {
        return trials;
    }
}
