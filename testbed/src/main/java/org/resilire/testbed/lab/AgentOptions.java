package org.resilire.testbed.lab;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * How the agents of both hosts are started.
 *
 * @param period of the epochs
 * @param verifyEvery compare the memories at every n-th epoch; 0: only when asked
 * @param primaryExtra more arguments of {@code protect}, as they are
 * @param standbyExtra more arguments of {@code standby}, as they are
 * @param hasNetwork whether the guest has a NIC that passes through the agents
 * @param disks names of the guest's disks, whose images the lab's hosts have
 */
public record AgentOptions(
        Duration period,
        int verifyEvery,
        List<String> primaryExtra,
        List<String> standbyExtra,
        boolean hasNetwork,
        List<String> disks) {

    /** The agent's default period. */
    public static final Duration DEFAULT_PERIOD = Duration.ofMillis(20);

    public AgentOptions {
        primaryExtra = List.copyOf(primaryExtra);
        standbyExtra = List.copyOf(standbyExtra);
        disks = List.copyOf(disks);
    }

    public static AgentOptions defaults() {
        return new AgentOptions(DEFAULT_PERIOD, 0, List.of(), List.of(), true, List.of());
    }

    public AgentOptions withPeriod(final Duration newPeriod) {
        return new AgentOptions(newPeriod, verifyEvery, primaryExtra, standbyExtra, hasNetwork, disks);
    }

    public AgentOptions withVerifyEvery(final int epochs) {
        return new AgentOptions(period, epochs, primaryExtra, standbyExtra, hasNetwork, disks);
    }

    /** For example {@code --on-backup-loss pause}, or {@code --arm FAILURE-POINT@N}. */
    public AgentOptions withPrimaryExtra(final String... arguments) {
        return new AgentOptions(period, verifyEvery, joined(primaryExtra, arguments), standbyExtra, hasNetwork, disks);
    }

    public AgentOptions withStandbyExtra(final String... arguments) {
        return new AgentOptions(period, verifyEvery, primaryExtra, joined(standbyExtra, arguments), hasNetwork, disks);
    }

    /** For a guest without a NIC. */
    public AgentOptions withoutNetwork() {
        return new AgentOptions(period, verifyEvery, primaryExtra, standbyExtra, false, disks);
    }

    /** For a guest with these disks. */
    public AgentOptions withDisks(final String... names) {
        return new AgentOptions(period, verifyEvery, primaryExtra, standbyExtra, hasNetwork, List.of(names));
    }

    /** Whether a guest that comes back from its last checkpoint is given its input again. */
    public boolean replaysInput() {
        return Collections.indexOfSubList(primaryExtra, List.of("--mode", "llm")) >= 0;
    }

    /** Silence after which either side takes the other for failed. */
    public AgentOptions withDetectTimeout(final Duration timeout) {
        final String[] arguments = {"--detect-timeout", timeout.toMillis() + "ms"};
        return withPrimaryExtra(arguments).withStandbyExtra(arguments);
    }

    private static List<String> joined(final List<String> before, final String... more) {
        final List<String> all = new ArrayList<>(before);
        all.addAll(List.of(more));
        return all;
    }

    /** As the command line takes it. */
    String periodArgument() {
        return period.toMillis() + "ms";
    }
}
