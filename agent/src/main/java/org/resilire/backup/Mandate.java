package org.resilire.backup;

/**
 * By what right the guest is started here (law 3), and how long it lasts.
 *
 * @param reason for the log
 * @param primaryStopped nothing is left to fence
 * @param limited it ends at {@code endNanos}
 * @param endNanos from when on the primary may have gone on unprotected, so that the replica may be history
 */
record Mandate(String reason, boolean primaryStopped, boolean limited, long endNanos) {

    /** The primary fell silent. */
    static Mandate untilLeaseEnds(final long endNanos) {
        return new Mandate("the primary fell silent", false, true, endNanos);
    }

    /** An operator knows what became of the primary, and answers for it. */
    static Mandate ofOperator() {
        return new Mandate("an operator's order", false, false, 0);
    }

    /** Nothing runs there any more: what the replica holds is the guest. */
    static Mandate becauseStopped(final String proof) {
        return new Mandate(proof, true, false, 0);
    }

    boolean allowsAt(final long nowNanos) {
        return !limited || nowNanos - endNanos < 0;
    }
}
