package org.resilire.cli;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations as people write them: {@code 20ms}, {@code 2s}, {@code 500us}. */
final class DurationConverter implements ITypeConverter<Duration> {

    /** More is a mistake, and sums of such times do not overflow. */
    private static final Duration LONGEST = Duration.ofDays(1);

    private static final Pattern PATTERN = Pattern.compile("([0-9]{1,15})(us|ms|s)");

    @Override
    public Duration convert(final String value) {
        final Matcher matcher = PATTERN.matcher(value);
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + value + "' is not a duration such as 20ms, 2s or 500us");
        }
        final long amount = Long.parseLong(matcher.group(1));
        final Duration duration = switch (matcher.group(2)) {
            case "us" -> Duration.of(amount, ChronoUnit.MICROS);
            case "ms" -> Duration.ofMillis(amount);
            default -> Duration.ofSeconds(amount);
        };
        if (duration.compareTo(LONGEST) > 0) {
            throw new TypeConversionException("'" + value + "' is more than a day");
        }
        return duration;
    }
}
