package org.resilire.testbed.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.resilire.testbed.TestbedException;
import tools.jackson.databind.JsonNode;

/**
 * The guest's virtual processors have the first of the processors that this process may use, and agents the others: so a host is set up
 * whose guests have processors of their own. One thread.
 */
public final class ProcessorSplit implements AutoCloseable {

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String ALLOWED = "Cpus_allowed_list:";

    private final List<Integer> processors = allowed();
    private final List<String> guestThreads = new ArrayList<>();

    /** Takes effect at once for the guest; for agents with {@link #keepOff}. */
    public ProcessorSplit(final QmpClient guest) {
        for (final JsonNode cpu : guest.execute(QmpClient.encode("query-cpus-fast", Map.of()))) {
            guestThreads.add(cpu.path("thread-id").asString());
        }
        moveGuest(processors.subList(0, 1));
    }

    /** Whether there is anything to split. */
    public static boolean isPossible() {
        return allowed().size() > 1;
    }

    /** All threads of an agent, and those that it starts from now on, stay off the guest's processor. */
    public void keepOff(final LabProcess agent) {
        Commands.run(
                "taskset",
                "-a",
                "-p",
                "-c",
                shown(processors.subList(1, processors.size())),
                Long.toString(agent.identity().pid()));
    }

    private void moveGuest(final List<Integer> to) {
        guestThreads.forEach(thread -> Commands.run("taskset", "-p", "-c", shown(to), thread));
    }

    private static String shown(final List<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /** By their numbers, {@code proc_pid_status(5)}: those of a container need not begin with 0. */
    private static List<Integer> allowed() {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith(ALLOWED))
                    .map(line -> expand(line.substring(ALLOWED.length()).strip()))
                    .findFirst()
                    .orElseThrow(() -> new TestbedException(STATUS + " does not tell the processors that may be used"));
        } catch (final IOException failure) {
            throw new TestbedException("cannot read " + STATUS + ": " + failure.getMessage(), failure);
        }
    }

    /** A list as the kernel writes it, such as {@code 0-3,8}. */
    static List<Integer> expand(final String ranges) {
        final List<Integer> numbers = new ArrayList<>();
        for (final String range : ranges.split(",", -1)) {
            final String[] ends = range.split("-", -1);
            final int last = Integer.parseInt(ends[ends.length - 1]);
            for (int number = Integer.parseInt(ends[0]); number <= last; number++) {
                numbers.add(number);
            }
        }
        return numbers;
    }

    /** The guest may run where it was started again. */
    @Override
    public void close() {
        moveGuest(processors);
    }
}
