package org.resilire.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Shares as people write them, {@code 10%} or {@code 2.5%}, as a number of which 1 is all. */
final class PercentConverter implements ITypeConverter<Double> {

    private static final double PERCENT = 100;
    private static final Pattern PATTERN = Pattern.compile("([0-9]{1,3}(?:\\.[0-9]{1,3})?)%");

    @Override
    public Double convert(final String value) {
        final Matcher matcher = PATTERN.matcher(value);
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + value + "' is not a share such as 10% or 2.5%");
        }
        return Double.parseDouble(matcher.group(1)) / PERCENT;
    }
}
