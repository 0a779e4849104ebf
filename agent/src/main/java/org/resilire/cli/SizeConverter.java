package org.resilire.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes in bytes as people write them: {@code 16M}, {@code 512K}, {@code 8192}. */
final class SizeConverter implements ITypeConverter<Integer> {

    private static final Pattern PATTERN = Pattern.compile("([0-9]{1,9})([KMG]?)");

    @Override
    public Integer convert(final String value) {
        final Matcher matcher = PATTERN.matcher(value);
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + value + "' is not a size such as 16M, 512K or 8192");
        }
        final int shift = switch (matcher.group(2)) {
            case "K" -> 10;
            case "M" -> 20;
            case "G" -> 30;
            default -> 0;
        };
        final long bytes = Long.parseLong(matcher.group(1)) << shift;
        if (bytes > Integer.MAX_VALUE) {
            throw new TypeConversionException("'" + value + "' is more than 2 GiB");
        }
        return (int) bytes;
    }
}
