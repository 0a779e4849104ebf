package org.resilire.primary;

import java.util.List;
import org.resilire.transport.Endpoint;

/**
 * The places where a backup may be offered, asked in turn. One that had a copy which it may still start is asked alone until that is
 * out of the question: with another one a second copy of the guest could be started. One thread.
 */
final class BackupCandidates {

    private final List<Endpoint> endpoints;
    private int current;
    private boolean isKnown;

    BackupCandidates(final List<Endpoint> endpoints) {
        this.endpoints = List.copyOf(endpoints);
    }

    /** Whom to greet. */
    Endpoint current() {
        return endpoints.get(current);
    }

    /** A session with the current one was open. */
    void opened() {
        isKnown = true;
    }

    /** True if nobody knows which of several may hold a copy: an agent that died has not said. */
    boolean isHolderUnknown() {
        return !isKnown && hasOthers();
    }

    boolean hasOthers() {
        return endpoints.size() > 1;
    }

    /** Turns to the next, after the last to the first again. */
    void next() {
        current = (current + 1) % endpoints.size();
    }
}
