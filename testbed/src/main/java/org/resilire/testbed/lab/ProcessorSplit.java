package org.resilire.testbed.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/**
 * The guest's virtual processors have this machine's first processor, and agents the others: so a host is set up whose guests have
 * processors of their own. One thread.
 */
public final class ProcessorSplit implements AutoCloseable {

    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
    private static final String FIRST = "0";
    private static final String ALL = shown(0);

    private final List<String> guestThreads = new ArrayList<>();

    /** Takes effect at once for the guest; for agents with {@link #keepOff}. */
    public ProcessorSplit(final QmpClient guest) {
        for (final JsonNode cpu : guest.execute(QmpClient.encode("query-cpus-fast", Map.of()))) {
            guestThreads.add(cpu.path("thread-id").asString());
        }
        guestThreads.forEach(thread -> Commands.run("taskset", "-p", "-c", FIRST, thread));
    }

    /** Whether there is anything to split. */
    public static boolean isPossible() {
        return PROCESSORS > 1;
    }

    /** All threads of an agent, and those that it starts from now on, stay off the guest's processor. */
    public void keepOff(final LabProcess agent) {
        Commands.run(
                "taskset",
                "-a",
                "-p",
                "-c",
                shown(1),
                Long.toString(agent.identity().pid()));
    }

    private static String shown(final int first) {
        return IntStream.range(first, PROCESSORS).mapToObj(Integer::toString).collect(Collectors.joining(","));
    }

    /** The guest may run anywhere again. */
    @Override
    public void close() {
        guestThreads.forEach(thread -> Commands.run("taskset", "-p", "-c", ALL, thread));
    }
}
