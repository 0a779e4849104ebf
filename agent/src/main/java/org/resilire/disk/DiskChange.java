package org.resilire.disk;

/** How a range of a disk changes. */
public enum DiskChange {
    /** It gets new data. */
    WRITE(1),
    /** It becomes zeros and keeps its room. */
    ZERO(2),
    /** It becomes zeros and gives its room back. */
    DISCARD(3),
    /** It stays as it is; what it should hold is told by a hash, for the replica to compare. */
    COMPARE(4);

    private final int code;

    DiskChange(final int code) {
        this.code = code;
    }

    /** As it stands in logs and journals. */
    public int code() {
        return code;
    }

    static boolean isCode(final int code) {
        return code >= WRITE.code && code <= COMPARE.code;
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
            case 4 -> COMPARE;
            default -> throw new IllegalArgumentException("no change of a disk has the code " + code);
        };
    }
}
