package org.resilire.disk;

/** How a range of a disk changes. */
public enum DiskChange {
    /** It gets new data. */
    WRITE(1),
    /** It becomes zeros and keeps its room. */
    ZERO(2),
    /** It becomes zeros and gives its room back. */
    DISCARD(3);

    private final int code;

    DiskChange(final int code) {
        this.code = code;
    }

    /** As it stands in logs and journals. */
    public int code() {
        return code;
    }

    /**
     * The change of this code.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static DiskChange of(final int code) {
        return switch (code) {
            case 1 -> WRITE;
            case 2 -> ZERO;
            case 3 -> DISCARD;
            default -> throw new IllegalArgumentException("no change of a disk has the code " + code);
        };
    }
}
