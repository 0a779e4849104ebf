package org.resilire.testbed.demo;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code 512M} or {@code 2G} to MiB. */
final class MemoryConverter implements ITypeConverter<Integer> {

    private static final Pattern FORM = Pattern.compile("([1-9][0-9]{0,5})([MG])");
    private static final int MIB_A_GIB = 1_024;

    @Override
    public Integer convert(final String text) {
        final Matcher matcher = FORM.matcher(text.toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + text + "' is no size of a memory: write 512M or 2G");
        }
        final int number = Integer.parseInt(matcher.group(1));
        return matcher.group(2).equals("G") ? number * MIB_A_GIB : number;
    }
}
