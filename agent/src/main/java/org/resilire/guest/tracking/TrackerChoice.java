package org.resilire.guest.tracking;

import java.util.Locale;

/** Which mechanism finds written pages: chosen by a probe, or forced ({@code --tracker}). */
public enum TrackerChoice {
    /** The best that works here. */
    AUTO,
    /** Asynchronous userfaultfd write protection and {@code PAGEMAP_SCAN}; Linux 6.7. */
    WRITE_PROTECT,
    /** The kernel's soft-dirty bits; exact only while the guest is paused. */
    SOFT_DIRTY,
    /** None: every page is compared at every checkpoint. */
    COMPARE;

    /** As written on a command line, for example {@code write-protect}. */
    public String optionName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The choice of that name; the message of the exception lists the names there are. */
    public static TrackerChoice of(final String optionName) {
        for (final TrackerChoice choice : values()) {
            if (choice.optionName().equals(optionName)) {
                return choice;
            }
        }
        throw new IllegalArgumentException(
                "no tracker '" + optionName + "': use auto, write-protect, soft-dirty or compare");
    }
}
