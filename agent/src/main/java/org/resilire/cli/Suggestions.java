package org.resilire.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** What somebody may have meant. */
final class Suggestions {

    private Suggestions() {}

    /** The known word closest to what was written, if any is close. */
    static Optional<String> nearest(final String written, final Collection<String> known) {
        final LevenshteinDistance distance = new LevenshteinDistance(Math.max(2, written.length() / 2));
        return known.stream()
                .filter(word -> distance.apply(word, written) >= 0)
                .min(Comparator.comparingInt(word -> distance.apply(word, written)));
    }
}
