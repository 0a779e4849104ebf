package org.resilire.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Batches of a guest of which is known what each coding costs and saves, over a link of known speed, with a clock set by hand. */
class CompressionChoiceTest {

    private static final int BATCH_BYTES = 60_000;

    /** Wire bytes of 100 captured ones. */
    private int lanesPercent = 60;

    private int lz4Percent = 30;
    private int lanesPackPercent = 60;
    private int lanesPackLz4Percent = 35;
    private double lz4NanosPerByte = 1.0;
    private double packNanosPerByte = 0.2;
    private long nanos;
    private final CompressionChoice choice =
            new CompressionChoice(new EncoderOptions(PageCodec.AUTO, false), () -> nanos);

    private int percent(final BatchCoding coding) {
        return switch (coding) {
            case BLOCKS -> 100;
            case BLOCKS_LZ4 -> lz4Percent;
            case LANES, LANES_LZ4 -> lanesPercent;
            case LANES_PACK -> lanesPackPercent;
            case LANES_PACK_LZ4 -> lanesPackLz4Percent;
        };
    }

    /** Epochs of ten batches over a link that is always busy; returns how many batches were compressed in the last half. */
    private int run(final int epochs, final double linkNanosPerByte) {
        int compressed = 0;
        for (int epoch = 0; epoch < epochs; epoch++) {
            long wire = 0;
            for (int batch = 0; batch < 10; batch++) {
                final BatchCoding coding = choice.next(BATCH_BYTES);
                final int percent = percent(coding);
                final double cost = 0.1
                        + (coding.compression().lz4() ? lz4NanosPerByte : 0)
                        + (coding.compression().pack() ? packNanosPerByte : 0);
                final int wireBytes = BATCH_BYTES * percent / 100;
                choice.onEncoded(coding, BATCH_BYTES, wireBytes, (long) (BATCH_BYTES * cost));
                wire += wireBytes;
                nanos += (long) (BATCH_BYTES * cost + wireBytes * linkNanosPerByte);
                compressed += coding.compression().lz4() && epoch >= epochs / 2 ? 1 : 0;
            }
            if (linkNanosPerByte > 0) {
                choice.onLink(wire, (long) (wire * linkNanosPerByte), true);
            }
        }
        return compressed;
    }

    @Test
    void shouldCompressForASlowLink() {
        assertTrue(run(400, 8.0) > 1_900, "100 MB/s or so");
        assertEquals(BatchCoding.BLOCKS_LZ4, choice.current());
        assertEquals(125_000_000, choice.linkBytesPerSecond());
    }

    @Test
    void shouldNotCompressForAFastLink() {
        assertTrue(run(400, 0.5) < 100);
        assertEquals(BatchCoding.LANES, choice.current());
    }

    @Test
    void shouldNotCompressNorTryItWhileTheLinkIsNeverWaitedFor() {
        assertEquals(0, run(400, 0));
        choice.onLink(1_000, 1_000_000, false);
        assertEquals(0, run(10, 0));
        assertEquals(0, choice.trials());
        assertEquals(0, choice.linkBytesPerSecond());
    }

    @Test
    void shouldNoticeThatTheLinkChanges() {
        run(400, 8.0);
        assertTrue(choice.current().compression().lz4());
        run(400, 0.5);
        assertFalse(choice.current().compression().lz4());
        run(400, 8.0);
        assertTrue(choice.current().compression().lz4());
        for (int i = 0; i < 10; i++) {
            choice.onLink(1_000_000, 500_000, false);
        }
        assertFalse(choice.current().compression().lz4(), "seen to carry 2 GB/s without pushing back");
    }

    @Test
    void shouldNoticeThatTheGuestChanges() {
        run(400, 8.0);
        assertEquals(BatchCoding.BLOCKS_LZ4, choice.current());
        lanesPackLz4Percent = 8;
        run(400, 8.0);
        assertEquals(BatchCoding.LANES_PACK_LZ4, choice.current());
        lz4Percent = 100;
        lanesPackLz4Percent = 60;
        run(400, 8.0);
        assertEquals(BatchCoding.LANES, choice.current());
    }

    @Test
    void shouldNotBeMisledByOneStall() {
        run(400, 8.0);
        assertEquals(BatchCoding.BLOCKS_LZ4, choice.current());
        choice.onEncoded(BatchCoding.BLOCKS_LZ4, BATCH_BYTES, BATCH_BYTES * 30 / 100, TimeUnit.SECONDS.toNanos(1));
        assertEquals(BatchCoding.BLOCKS_LZ4, choice.current());
    }

    @Test
    void shouldTryOtherCodingsOnlyNowAndThen() {
        choice.onLink(1_000_000, 8_000_000, true);
        nanos += TimeUnit.SECONDS.toNanos(1);
        choice.next(CompressionChoice.SMALLEST_TRIAL_BYTES - 1);
        assertEquals(0, choice.trials());
        for (int i = 0; i < 1_000; i++) {
            choice.next(BATCH_BYTES);
        }
        assertEquals(1, choice.trials());
        nanos += CompressionChoice.TRIAL_INTERVAL_NANOS;
        choice.next(BATCH_BYTES);
        assertEquals(2, choice.trials());
        for (int i = 0; i < CompressionChoice.TRIAL_INTERVAL_BATCHES; i++) {
            nanos += CompressionChoice.TRIAL_INTERVAL_NANOS;
            choice.next(BATCH_BYTES);
            assertEquals(2, choice.trials());
        }
        choice.next(BATCH_BYTES);
        assertEquals(3, choice.trials());
    }

    @ParameterizedTest
    @CsvSource({
        "RAW, BLOCKS",
        "DELTA, LANES",
        "LZ4, BLOCKS_LZ4",
        "DELTA_LZ4, LANES_LZ4",
        "DELTA_PACK, LANES_PACK",
        "DELTA_PACK_LZ4, LANES_PACK_LZ4"
    })
    void shouldLeaveAFixedCodecAlone(final PageCodec codec, final BatchCoding coding) {
        final CompressionChoice fixed = new CompressionChoice(new EncoderOptions(codec, false), () -> nanos);
        for (int i = 0; i < 100; i++) {
            nanos += CompressionChoice.TRIAL_INTERVAL_NANOS;
            assertEquals(coding, fixed.next(BATCH_BYTES));
            fixed.onEncoded(coding, BATCH_BYTES, BATCH_BYTES, 1_000_000);
            fixed.onLink(BATCH_BYTES, 1, true);
        }
    }

    @Test
    void shouldNotAskForLanesWhereNobodyKnowsWhatWasSent() {
        final CompressionChoice hashes =
                new CompressionChoice(new EncoderOptions(PageCodec.AUTO, false).withoutSentMemory(), () -> nanos);
        hashes.onLink(1_000_000, 8_000_000, true);
        for (int i = 0; i < 100; i++) {
            nanos += CompressionChoice.TRIAL_INTERVAL_NANOS;
            final BatchCoding coding = hashes.next(BATCH_BYTES);
            assertFalse(coding.delta());
            hashes.onEncoded(coding, BATCH_BYTES, coding.compression().lz4() ? 30_000 : BATCH_BYTES, 60_000);
        }
        assertEquals(BatchCoding.BLOCKS_LZ4, hashes.current());
    }
}
