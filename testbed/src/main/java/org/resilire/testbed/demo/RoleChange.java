package org.resilire.testbed.demo;

/**
 * One change of roles; the components are the keys of its JSON. Null where there is nothing of the kind.
 *
 * @param from host that ran the guest
 * @param isPlanned a switchover, else the host was killed
 * @param detectMillis from the last sign of life to the decision
 * @param resumeMillis from the decision to the running guest
 * @param pauseMillis that the guest stood still in a switchover, at most
 * @param switchoverMillis from the request to its answer
 * @param serviceMillis from the kill or the request until every connection was answered by the new host
 * @param healMillis until the guest was protected again: from when a standby was offered, or it had moved
 */
record RoleChange(
        int number,
        String from,
        boolean isPlanned,
        Double detectMillis,
        Double resumeMillis,
        Double pauseMillis,
        Double switchoverMillis,
        Double serviceMillis,
        Double healMillis) {}
