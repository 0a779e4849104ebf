package org.resilire.testbed.demo;

import java.util.Locale;

/** Figures as people and programs read them. */
final class Figures {

    private static final double MICROS_A_MILLI = 1_000;
    private static final double KIB = 1_024;

    private Figures() {}

    /** Milliseconds to the microsecond: what lies below is noise. */
    static Double rounded(final Double millis) {
        return millis == null ? null : Double.valueOf(Math.round(millis * MICROS_A_MILLI) / MICROS_A_MILLI);
    }

    static String millis(final Double value) {
        return value == null ? "–" : String.format(Locale.ROOT, value < 10 ? "%.2f ms" : "%.0f ms", value);
    }

    static String kib(final Long bytes) {
        return bytes == null ? "–" : String.format(Locale.ROOT, "%.1f KiB", bytes / KIB);
    }
}
