package org.resilire.cli;

import java.util.Locale;
import org.resilire.guest.tracking.TrackerChoice;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Trackers by the names that messages give them, such as {@code write-protect}. */
final class TrackerConverter implements ITypeConverter<TrackerChoice> {

    @Override
    public TrackerChoice convert(final String value) {
        try {
            return TrackerChoice.of(value.toLowerCase(Locale.ROOT).replace('_', '-'));
        } catch (final IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
