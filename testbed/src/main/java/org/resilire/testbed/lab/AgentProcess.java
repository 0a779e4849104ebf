package org.resilire.testbed.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentCountersReader;
import org.resilire.control.AgentRole;
import org.resilire.control.AgentState;
import org.resilire.control.AgentText;
import org.resilire.control.ControlClient;
import org.resilire.control.ControlException;
import org.resilire.control.CountersFileException;
import org.resilire.control.RunDirectory;
import org.resilire.testbed.TestbedException;
import tools.jackson.databind.node.ObjectNode;

/**
 * An agent on one of the hosts. Its counters are read where it keeps them, without disturbing it, also after its death. Not
 * thread-safe.
 */
public final class AgentProcess implements AutoCloseable {

    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration COMMAND_LIMIT = Duration.ofSeconds(60);

    private final LabProcess process;
    private final RunDirectory runDirectory;
    private AgentCountersReader counters;

    private AgentProcess(final LabProcess process, final RunDirectory runDirectory) {
        this.process = process;
        this.runDirectory = runDirectory;
    }

    /** {@code resilire protect} on host A. Returns at once; see {@link #awaitStarted()}. */
    public static AgentProcess protect(final Lab lab, final AgentOptions options) {
        final LabHost host = lab.hostA();
        final LabProcess process = lab.start(Lab.AGENT_A, host.namespace(), AgentCommandLine.protect(lab, options));
        return new AgentProcess(process, runDirectory(lab, host, AgentRole.PRIMARY));
    }

    /** {@code resilire standby} on host B, with the lab's fence. Returns at once; see {@link #awaitStarted()}. */
    public static AgentProcess standby(
            final Lab lab, final GuestConfig guest, final TakeoverMode takeover, final AgentOptions options) {
        return standby(
                lab,
                QemuCommandLine.standby(
                        "resilire-" + lab.id() + "-b", guest, lab.hostB(), GuestProcess.serialLog(lab, lab.hostB())),
                takeover,
                options);
    }

    /** The same for a synthetic guest. */
    public static AgentProcess standby(
            final Lab lab, final SyntheticConfig guest, final TakeoverMode takeover, final AgentOptions options) {
        return standby(lab, String.join(" ", guest.commandLine(lab.hostB())), takeover, options);
    }

    private static AgentProcess standby(
            final Lab lab, final String qemu, final TakeoverMode takeover, final AgentOptions options) {
        final LabHost host = lab.hostB();
        final LabProcess process =
                lab.start("agent-b", host.namespace(), AgentCommandLine.standby(lab, qemu, takeover, options));
        return new AgentProcess(process, runDirectory(lab, host, AgentRole.BACKUP));
    }

    /** A primary on any host, which keeps a standby there once its guest was moved to the other. Returns at once. */
    public static AgentProcess protect(
            final Lab lab, final LabHost host, final GuestConfig guest, final AgentOptions options) {
        return start(
                lab, host, AgentRole.PRIMARY, AgentCommandLine.protect(lab, host, qemu(lab, host, guest), options));
    }

    /** A standby on any host that becomes the primary of its guest, with the other host for its backup. Returns at once. */
    public static AgentProcess standby(
            final Lab lab, final LabHost host, final GuestConfig guest, final AgentOptions options) {
        return start(lab, host, AgentRole.BACKUP, AgentCommandLine.standby(lab, host, qemu(lab, host, guest), options));
    }

    private static String qemu(final Lab lab, final LabHost host, final GuestConfig guest) {
        return QemuCommandLine.standby(
                "resilire-" + lab.id() + "-" + host.label(), guest, host, GuestProcess.serialLog(lab, host));
    }

    private static AgentProcess start(
            final Lab lab, final LabHost host, final AgentRole role, final List<String> command) {
        return new AgentProcess(
                lab.start("agent-" + host.label(), host.namespace(), command), runDirectory(lab, host, role));
    }

    /** The same process in its other role: its counters are unknown until it has taken it. */
    public AgentProcess as(final AgentRole role) {
        return new AgentProcess(
                process, RunDirectory.under(runDirectory.path().getParent(), runDirectory.vmName(), role));
    }

    private static RunDirectory runDirectory(final Lab lab, final LabHost host, final AgentRole role) {
        return RunDirectory.under(host.agentRunBase(), lab.vmName(), role);
    }

    /** Waits until it counts. */
    public AgentProcess awaitStarted() {
        Await.until(
                () -> hasCounters() || !process.isAlive(),
                START_LIMIT,
                () -> process.name() + " did not start within " + START_LIMIT.toSeconds() + " s" + process.logTail());
        requireAlive();
        return this;
    }

    /** What its guard, a process of its own, had to say; empty if nothing. */
    private String guardLog() {
        final Path log = runDirectory.path().resolve("guard.log");
        try {
            return Files.exists(log) ? "\n  | guard: " + Files.readString(log).strip() : "";
        } catch (final IOException failure) {
            throw new TestbedException("cannot read " + log, failure);
        }
    }

    private void requireAlive() {
        if (!process.isAlive()) {
            throw new TestbedException(
                    process.name() + " ended with exit status " + process.exitStatus() + process.logTail());
        }
    }

    /** The file may still be an earlier agent's: only one with this process's id in it counts. */
    private boolean hasCounters() {
        if (counters != null) {
            return true;
        }
        try {
            final AgentCountersReader found = AgentCountersReader.open(runDirectory);
            if (found.value(AgentCounter.PID) == process.identity().pid()) {
                counters = found;
            }
        } catch (final CountersFileException | java.nio.file.NoSuchFileException notYet) {
            return false;
        } catch (final IOException failure) {
            throw new TestbedException("cannot read the counters of " + process.name(), failure);
        }
        return counters != null;
    }

    /** Waits until it serves the guest's disks, so that the guest can start. */
    public AgentProcess awaitServing() {
        awaitState(AgentState.WAITING_FOR_GUEST, START_LIMIT);
        return this;
    }

    /** Waits until it is attached to the guest, whose frames then pass through it. */
    public AgentProcess awaitAttached() {
        Await.until(
                () -> (state() != null && state() != AgentState.STARTING && state() != AgentState.WAITING_FOR_GUEST)
                        || !process.isAlive(),
                START_LIMIT,
                () -> process.name() + " did not attach to the guest within " + START_LIMIT.toSeconds() + " s"
                        + describedLastError() + process.logTail());
        requireAlive();
        return this;
    }

    /** Waits until it is in that state. */
    public void awaitState(final AgentState state, final Duration limit) {
        Await.until(
                () -> state() == state || !process.isAlive(),
                limit,
                () -> String.format(
                        Locale.ROOT,
                        "%s is %s instead of %s after %d s%s%s",
                        process.name(),
                        state(),
                        state,
                        limit.toSeconds(),
                        describedLastError(),
                        process.logTail()));
        requireAlive();
    }

    /** Null before it has said so. */
    public AgentState state() {
        return hasCounters() ? counters.state() : null;
    }

    /** {@link AgentCounter#UNKNOWN} before it has counted that. */
    public long counter(final AgentCounter counter) {
        return hasCounters() ? counters.value(counter) : AgentCounter.UNKNOWN;
    }

    /** All counters that it knows a value of, by name. */
    public Map<String, Long> counters() {
        final Map<String, Long> values = new LinkedHashMap<>();
        for (final AgentCounter counter : AgentCounter.values()) {
            final long value = counter(counter);
            if (value != AgentCounter.UNKNOWN) {
                values.put(counter.label(), value);
            }
        }
        return values;
    }

    /** Of a counter in nanoseconds; NaN before it is known. */
    public double millis(final AgentCounter counter) {
        final long value = counter(counter);
        return value == AgentCounter.UNKNOWN ? Double.NaN : value / 1e6;
    }

    /** Its last complaint; empty if there was none. */
    public String lastError() {
        return hasCounters() ? counters.text(AgentText.LAST_ERROR) : "";
    }

    /** Its state and its last words, on lines of their own, for the message of a failure. */
    public String described() {
        return "\n" + process.name()
                + (process.isAlive()
                        ? " is " + state()
                        : " has ended with exit status " + process.exitStatus() + "; it was " + state())
                + describedLastError() + process.logTail() + guardLog();
    }

    private String describedLastError() {
        return lastError().isEmpty() ? "" : " (" + lastError() + ")";
    }

    /**
     * Sends a command to its control socket, as {@code resilire verify} and {@code resilire failover} do.
     *
     * @throws TestbedException if it refuses
     */
    public ObjectNode command(final String command) {
        try (ControlClient client = ControlClient.connect(runDirectory)) {
            return client.request(command, COMMAND_LIMIT);
        } catch (final ControlException refused) {
            throw new TestbedException(process.name() + " refused " + command + ": " + refused.getMessage(), refused);
        } catch (final IOException failure) {
            throw new TestbedException(
                    process.name() + " did not answer " + command + ": " + failure.getMessage(), failure);
        }
    }

    public LabProcess process() {
        return process;
    }

    public RunDirectory runDirectory() {
        return runDirectory;
    }

    @Override
    public void close() {
        process.close();
    }
}
