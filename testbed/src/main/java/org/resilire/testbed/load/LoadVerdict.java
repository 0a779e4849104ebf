package org.resilire.testbed.load;

import java.util.ArrayList;
import java.util.List;

/** What is found out about a load that is over. One thread. */
final class LoadVerdict {

    private final List<LoadConnection> survivors;
    private final LoadTimes times;
    private final List<String> complaints = new ArrayList<>();
    private long lost;
    private long rewinds;

    LoadVerdict(final List<LoadConnection> survivors, final LoadTimes times) {
        this.survivors = survivors;
        this.times = times;
    }

    /** Whether every request of it was answered. */
    boolean hasSurvived(final LoadConnection connection) {
        return survivors.contains(connection);
    }

    int survivors() {
        return survivors.size();
    }

    LoadTimes times() {
        return times;
    }

    void add(final long moreLost, final long moreRewinds, final List<String> moreComplaints) {
        lost += moreLost;
        rewinds += moreRewinds;
        complaints.addAll(moreComplaints);
    }

    void complain(final String complaint) {
        complaints.add(complaint);
    }

    List<String> complaints() {
        return complaints;
    }

    long lost() {
        return lost;
    }

    long rewinds() {
        return rewinds;
    }
}
