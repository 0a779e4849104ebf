package org.resilire.testbed.demo;

import java.io.PrintWriter;
import java.util.Locale;

/** Tells people what is going on, or keeps it to itself. Any thread. */
final class Narrator {

    private final PrintWriter out;
    private final boolean isTalkative;

    Narrator(final PrintWriter out, final boolean isTalkative) {
        this.out = out;
        this.isTalkative = isTalkative;
    }

    /** A step of the story; left out when many runs are made. */
    @SuppressWarnings("AnnotateFormatMethod") // the annotation's library is no dependency of this project
    void tell(final String format, final Object... values) {
        if (isTalkative) {
            say(format, values);
        }
    }

    /** What is always said. */
    @SuppressWarnings("AnnotateFormatMethod") // as above
    void say(final String format, final Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
        out.flush();
    }
}
