package org.resilire.testbed.lab;

import java.util.Locale;

/** Who decides that host B takes over. */
public enum TakeoverMode {
    AUTO,
    MANUAL;

    String argument() {
        return name().toLowerCase(Locale.ROOT);
    }
}
