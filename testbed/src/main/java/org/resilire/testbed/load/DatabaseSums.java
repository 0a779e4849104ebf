package org.resilire.testbed.load;

import java.util.Optional;

/** What must be equal in pgbench's tables, whatever was committed: each of its transactions changes all four by the same. */
final class DatabaseSums {

    /** One row with the four sums. */
    static final String QUERY = "SELECT (SELECT coalesce(sum(abalance), 0) FROM pgbench_accounts),"
            + " (SELECT coalesce(sum(tbalance), 0) FROM pgbench_tellers),"
            + " (SELECT coalesce(sum(bbalance), 0) FROM pgbench_branches),"
            + " (SELECT coalesce(sum(delta), 0) FROM pgbench_history)";

    private DatabaseSums() {}

    /** Empty if they are equal. */
    static Optional<String> complaint(
            final long accounts, final long tellers, final long branches, final long history) {
        return accounts == tellers && tellers == branches && branches == history
                ? Optional.empty()
                : Optional.of("pgbench's tables do not add up: accounts " + accounts + ", tellers " + tellers
                        + ", branches " + branches + ", history " + history);
    }
}
