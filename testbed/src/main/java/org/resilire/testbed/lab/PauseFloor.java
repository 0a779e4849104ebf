package org.resilire.testbed.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * How long a guest stands still for a checkpoint that consists of nothing but QEMU's part, stop + device state + cont, at the
 * agent's period: no checkpoint through QMP can be shorter.
 *
 * @param millisP50 the median
 * @param millisP99 the 99th percentile
 */
public record PauseFloor(double millisP50, double millisP99) {

    /** Until the code here is compiled and QEMU's is in the caches. */
    private static final int WARM_UP_SAMPLES = 100;

    private static final int SIGNIFICANT_DIGITS = 3;

    /**
     * Measures a running guest, which runs on afterwards.
     *
     * @param stateFile where QEMU may write the device state; best in memory, as the agent's is
     */
    public static PauseFloor measure(
            final QmpClient qmp, final Path stateFile, final Duration period, final int samples) {
        final byte[] stop = QmpClient.encode("stop", Map.of());
        final byte[] save =
                QmpClient.encode("xen-save-devices-state", Map.of("filename", stateFile.toString(), "live", false));
        final byte[] cont = QmpClient.encode("cont", Map.of());
        final Histogram pausesNs = new Histogram(TimeUnit.MINUTES.toNanos(1), SIGNIFICANT_DIGITS);
        for (int i = -WARM_UP_SAMPLES; i < samples; i++) {
            final long startedNs = System.nanoTime();
            qmp.execute(stop);
            qmp.execute(save);
            qmp.execute(cont);
            final long pauseNs = System.nanoTime() - startedNs;
            if (i >= 0) {
                pausesNs.recordValue(pauseNs);
            }
            // As the agent keeps its period: the guest runs for the rest of it.
            LockSupport.parkNanos(period.toNanos() - pauseNs);
        }
        return new PauseFloor(millis(pausesNs, 50), millis(pausesNs, 99));
    }

    private static double millis(final Histogram histogram, final double percentile) {
        return histogram.getValueAtPercentile(percentile) / 1e6;
    }
}
