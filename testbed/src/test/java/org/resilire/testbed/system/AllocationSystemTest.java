package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.TakeoverMode;

/** Steady state allocates nothing on the epoch path: there is no garbage to collect while a guest is paused. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AllocationSystemTest {

    /** Until everything has run often enough to be compiled, and what grows on demand has grown. */
    private static final long WARM_UP_EPOCHS = 2_000;

    /** What all modes have in common is compiled by then. */
    private static final long OTHER_WARM_UP_EPOCHS = 1_000;

    private static final long MEASURED_EPOCHS = 1_000;
    private static final Duration LIMIT = Duration.ofMinutes(3);

    /**
     * Less than one object an epoch: the JVM tells a thread's allocation in KiB, and compiled code that is replaced leaves some
     * now and then.
     */
    private static final double MAX_BYTES_PER_EPOCH = 32;

    /** {@code "checkpoint" #31 [123] prio=5 … allocated=1234K defined_classes=5 …}. */
    private static final Pattern THREAD = Pattern.compile("^\"([^\"]+)\".* allocated=(\\d+)([BKMG]) .*");

    private static TwoHosts hosts;

    @BeforeAll
    static void protectGuest() {
        hosts = TwoHosts.boot(AllocationSystemTest.class);
        hosts.protect(TakeoverMode.MANUAL, TwoHosts.patient());
        hosts.startLoad();
    }

    @AfterAll
    static void closeLab() {
        if (hosts != null) {
            hosts.close();
        }
    }

    @Test
    @Order(1)
    void shouldAllocateNothingOnEpochPathInSteadyState() {
        requireNoGarbage(WARM_UP_EPOCHS);
    }

    /** Those most unlike the default; each mode's capture, encoding and application alone: EpochPipelineTest. */
    @ParameterizedTest
    @ValueSource(strings = {"--mode remus --codec delta+lz4", "--mode fgbi --identify hash --block 256"})
    @Order(2)
    void shouldAllocateNothingOnEpochPathInOtherModes(final String mode) {
        final CommandRun changed = hosts.resilireOnA("set " + mode);
        assertEquals(0, changed.exitStatus(), () -> changed + hosts.describe());
        requireNoGarbage(OTHER_WARM_UP_EPOCHS);
    }

    /** One round in which nothing was allocated tells: what the work itself leaves, it leaves in each. */
    private static void requireNoGarbage(final long warmUpEpochs) {
        hosts.awaitEpochs(warmUpEpochs, LIMIT);
        final long deadlineNs = System.nanoTime() + LIMIT.toNanos();
        List<String> complaints;
        do {
            complaints = measureRound();
            // Where others use the processors too, the compiler may take long to get to all of it.
        } while (!complaints.isEmpty() && System.nanoTime() - deadlineNs < 0);
        assertEquals(List.of(), complaints);
    }

    /** Which threads of the epoch path have allocated something. */
    private static List<String> measureRound() {
        final long epochsBefore = hosts.primary().counter(AgentCounter.EPOCHS_TOTAL);
        final Map<String, Long> primaryBefore = allocatedBytes(hosts.primary());
        final Map<String, Long> standbyBefore = allocatedBytes(hosts.standby());
        hosts.awaitEpochs(MEASURED_EPOCHS, LIMIT);
        final Map<String, Long> primaryAfter = allocatedBytes(hosts.primary());
        final Map<String, Long> standbyAfter = allocatedBytes(hosts.standby());
        final long epochs = hosts.primary().counter(AgentCounter.EPOCHS_TOTAL) - epochsBefore;

        final String figures = figures("primary", primaryBefore, primaryAfter, epochs)
                + figures("standby", standbyBefore, standbyAfter, epochs);
        System.out.println(figures);
        final List<String> complaints = new ArrayList<>();
        for (final String thread : new String[] {"checkpoint", "[link,output-release,encoder]", "guest-network"}) {
            complain(thread, primaryBefore, primaryAfter, epochs, figures, complaints);
        }
        complain("link", standbyBefore, standbyAfter, epochs, figures, complaints);
        return complaints;
    }

    private static void complain(
            final String thread,
            final Map<String, Long> before,
            final Map<String, Long> after,
            final long epochs,
            final String figures,
            final List<String> complaints) {
        assertTrue(before.containsKey(thread) && after.containsKey(thread), () -> "no thread " + thread + figures);
        final double bytes = (double) (after.get(thread) - before.get(thread)) / epochs;
        if (bytes >= MAX_BYTES_PER_EPOCH) {
            complaints.add(String.format(Locale.ROOT, "%s allocates %.1f bytes an epoch:%s", thread, bytes, figures));
        }
    }

    private static String figures(
            final String agent, final Map<String, Long> before, final Map<String, Long> after, final long epochs) {
        final StringBuilder text = new StringBuilder();
        after.forEach((thread, bytes) -> {
            final long grown = bytes - before.getOrDefault(thread, 0L);
            if (grown > 0) {
                text.append(String.format(
                        Locale.ROOT,
                        "%n%s, thread %s: %d bytes in %d epochs, %.1f an epoch",
                        agent,
                        thread,
                        grown,
                        epochs,
                        (double) grown / epochs));
            }
        });
        return text.toString();
    }

    /** What each thread of an agent has allocated since its start, as its JVM tells. */
    private static Map<String, Long> allocatedBytes(final AgentProcess agent) {
        final Map<String, Long> allocated = new HashMap<>();
        for (final String line :
                threadDump(agent.process().identity().pid()).lines().toList()) {
            final Matcher matcher = THREAD.matcher(line);
            if (matcher.matches()) {
                allocated.merge(matcher.group(1), bytes(matcher), Long::sum);
            }
        }
        return allocated;
    }

    private static long bytes(final Matcher matcher) {
        return Long.parseLong(matcher.group(2)) << (10 * "BKMG".indexOf(matcher.group(3)));
    }

    private static String threadDump(final long pid) {
        final String jcmd =
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        try {
            final Process process = new ProcessBuilder(jcmd, Long.toString(pid), "Thread.print", "-e")
                    .redirectErrorStream(true)
                    .start();
            final String dump = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new TestbedException("jcmd failed: " + dump);
            }
            return dump;
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new TestbedException("interrupted while jcmd ran", interrupted);
        }
    }
}
