package org.resilire.testbed.lab;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.resilire.control.ProcessIdentity;
import org.resilire.linux.PidFd;
import org.resilire.testbed.TestbedException;

/**
 * Two hosts, a client and the network between them, on this machine; see the package for a picture. Several labs can exist at
 * once: each has an id that is in the names of all its namespaces, processes' records and files.
 *
 * <p>Closing it ends everything inside and leaves nothing, also when the program ends by a signal that it can handle. What
 * stays after a SIGKILL is removed by {@code testbed/run clean}. Needs root. Any thread.
 */
public final class Lab implements AutoCloseable {

    public static final String HOST_A_ADDRESS = "10.77.0.1";
    public static final String HOST_B_ADDRESS = "10.77.0.2";
    public static final String CLIENT_ADDRESS = "10.77.0.100";
    public static final String GUEST_ADDRESS = "10.77.0.10";
    public static final String HOST_A_REPLICATION_ADDRESS = "10.78.0.1";
    public static final String HOST_B_REPLICATION_ADDRESS = "10.78.0.2";

    /** Record of the QEMU on host A, which the fence kills. */
    static final String QEMU_A = "qemu-a";

    /** Record of the agent on host A, which the fence kills. */
    static final String AGENT_A = "agent-a";

    private static final Duration END_LIMIT = Duration.ofSeconds(10);
    private static final AtomicInteger SEQUENCE = new AtomicInteger();

    private final String id;
    private final LabNetwork network;
    private final Path directory;
    private final Path logs;
    private final PidFiles pidFiles;
    private final LabHost hostA;
    private final LabHost hostB;
    private final List<LabProcess> processes = new ArrayList<>();
    private final Thread closeAtExit = new Thread(this::close, "close-lab");
    private boolean isClosed;

    private Lab(final String id, final Path logs) {
        this.id = id;
        directory = LabFiles.directory(id);
        this.logs = logs == null ? directory.resolve("logs") : logs;
        network = new LabNetwork(id);
        pidFiles = new PidFiles(directory);
        hostA = host("a", network.hostA(), HOST_A_ADDRESS, HOST_A_REPLICATION_ADDRESS);
        hostB = host("b", network.hostB(), HOST_B_ADDRESS, HOST_B_REPLICATION_ADDRESS);
    }

    /** A lab whose logs go with it. */
    public static Lab create() {
        return create(null);
    }

    /**
     * Sets up a lab.
     *
     * @param logs where the logs of its processes stay, or null if they go with the lab
     */
    public static Lab create(final Path logs) {
        final Lab lab = new Lab(claimId(), logs);
        try {
            Runtime.getRuntime().addShutdownHook(lab.closeAtExit);
            lab.setUp();
            return lab;
        } catch (final RuntimeException failure) {
            lab.close();
            throw failure;
        }
    }

    /** Short: an interface has room for 15 characters, a socket's path for 107. */
    private static String claimId() {
        while (true) {
            final String id = Long.toString(ProcessHandle.current().pid(), Character.MAX_RADIX)
                    + (char) ('a' + SEQUENCE.getAndIncrement() % 26);
            if (LabFiles.claim(id)) {
                return id;
            }
        }
    }

    private void setUp() {
        LabFiles.createDirectories(logs);
        for (final LabHost host : List.of(hostA, hostB)) {
            LabFiles.createDirectories(host.agentRunBase());
            LabFiles.createDirectories(host.agentStateDirectory());
            LabFiles.createDirectories(host.diskDirectory());
        }
        FenceScript.write(fenceScript());
        PowerSwitch.write(powerSwitch());
        network.create();
    }

    private LabHost host(
            final String label, final Namespace namespace, final String address, final String replicationAddress) {
        return new LabHost(
                label,
                namespace,
                address,
                replicationAddress,
                directory.resolve(label),
                sharedMemory(label + ".ram"),
                LabFiles.disks(id).resolve(label));
    }

    public String id() {
        return id;
    }

    /** The agents' name of the guest; its own in each lab, since agents name files in shared memory by it. */
    public String vmName() {
        return id;
    }

    public LabHost hostA() {
        return hostA;
    }

    public LabHost hostB() {
        return hostB;
    }

    public Namespace client() {
        return network.client();
    }

    /** Where the processes write what they have to say. */
    public Path logs() {
        return logs;
    }

    /** A directory of the lab for files that go with it. */
    public Path directory() {
        return directory;
    }

    /** A file in memory that goes with the lab; it does not exist yet. */
    public Path sharedMemory(final String name) {
        return LabFiles.sharedMemory(id, name);
    }

    /** What host B runs to be sure that host A has stopped: a command for {@code --fence}. */
    public String fenceCommand() {
        return fenceScript() + " " + pidFiles.of(QEMU_A) + " " + pidFiles.of(AGENT_A);
    }

    /** What a host runs to be sure that another has stopped, whichever role it had: a command for {@code --fence}. */
    public String powerOffCommand(final LabHost host) {
        return powerSwitch() + " " + host.namespace().name();
    }

    /** A host dies: all that runs on it, at once. */
    public void powerOff(final LabHost host) {
        killStragglers(host.namespace());
    }

    /** The other one of the two. */
    public LabHost peerOf(final LabHost host) {
        return host.equals(hostA) ? hostB : hostA;
    }

    private Path powerSwitch() {
        return directory.resolve("power-off");
    }

    private Path fenceScript() {
        return directory.resolve("fence");
    }

    /** Starts a process whose output goes to {@code NAME.log}, at its end if there is one. */
    public LabProcess start(final String name, final Namespace namespace, final List<String> command) {
        final Path log = logs.resolve(name + ".log");
        return start(
                name,
                command,
                log,
                new ProcessBuilder(namespace.wrap(command))
                        .redirectErrorStream(true)
                        .redirectInput(ProcessBuilder.Redirect.from(
                                Path.of("/dev/null").toFile()))
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())));
    }

    /** Starts a process that the test bed talks to; what it says on standard error goes to {@code NAME.log}. */
    public LabProcess startTalking(final String name, final Namespace namespace, final List<String> command) {
        final Path log = logs.resolve(name + ".log");
        return start(
                name,
                command,
                log,
                new ProcessBuilder(namespace.wrap(command))
                        .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())));
    }

    private synchronized LabProcess start(
            final String name, final List<String> command, final Path log, final ProcessBuilder builder) {
        if (isClosed) {
            throw new TestbedException("the lab is closed");
        }
        try {
            final Process process = builder.start();
            final PidFd handle = ProcessKill.hold(process.pid());
            final ProcessIdentity identity = ProcessIdentity.of(process.pid()).orElse(null);
            if (handle == null || identity == null) {
                throw new TestbedException(name + " ended at once: " + String.join(" ", command));
            }
            final LabProcess started = new LabProcess(name, process, handle, identity, log);
            processes.add(started);
            pidFiles.write(name, identity);
            return started;
        } catch (final IOException failure) {
            throw new TestbedException("cannot start " + name + ": " + failure.getMessage(), failure);
        }
    }

    /** Records a process that another one started, so that {@code testbed/run clean} knows it. */
    void record(final String name, final ProcessIdentity identity) {
        pidFiles.write(name, identity);
    }

    /** Cuts the link between the hosts: packets vanish without an error, in both directions. */
    public void cutReplicationLink() {
        network.dropReplication(100);
    }

    public void restoreReplicationLink() {
        network.dropReplication(0);
    }

    /** Loses that share of the packets between the hosts, at random. */
    public void dropPercent(final int percent) {
        network.dropReplication(percent);
    }

    /** What host A has sent to host B since the lab was made, all headers included. */
    public long replicationBytesFromHostA() {
        return network.bytesFromHostA();
    }

    /** Ends everything inside and removes it. */
    @Override
    public void close() {
        synchronized (this) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            killProcesses();
            network.delete();
            LabFiles.remove(id);
        }
        forgetShutdownHook();
    }

    /** Those that others started too, such as the standby's QEMU: by the namespace that they are in. */
    private void killProcesses() {
        for (final LabProcess process : processes) {
            process.kill();
        }
        for (final LabProcess process : processes) {
            process.close();
            process.release();
        }
        for (final Namespace namespace : network.namespaces()) {
            if (namespace.exists()) {
                killStragglers(namespace);
            }
        }
    }

    private static void killStragglers(final Namespace namespace) {
        for (List<PidFd> found = namespace.processes(); !found.isEmpty(); found = namespace.processes()) {
            found.forEach(ProcessKill::send);
            for (final PidFd process : found) {
                final boolean hasEnded = ProcessKill.awaitEnd(process, END_LIMIT);
                process.close();
                if (!hasEnded) {
                    throw new TestbedException(String.format(
                            Locale.ROOT, "process %d in %s does not end", process.pid(), namespace.name()));
                }
            }
        }
    }

    private void forgetShutdownHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(closeAtExit);
        } catch (final IllegalStateException shuttingDown) {
            // This is the hook, or runs beside it: nothing to forget.
        }
    }
}
