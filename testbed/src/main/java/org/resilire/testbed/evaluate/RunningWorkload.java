package org.resilire.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.evaluate.client.ClientProcess;
import org.resilire.testbed.evaluate.client.LoadSpec;
import org.resilire.testbed.evaluate.client.TimedRequest;
import org.resilire.testbed.lab.AgentOptions;

/** What a guest does, from outside: started over the network, then watched. One thread. */
final class RunningWorkload implements AutoCloseable {

    private static final AtomicLong RUNS = new AtomicLong(System.nanoTime());

    private final Subject subject;
    private final ClientProcess clients;
    private GuestProgress progress;
    private boolean hasLoad;

    RunningWorkload(final Subject subject) {
        this.subject = subject;
        clients = ClientProcess.start(subject.lab());
    }

    /**
     * Starts something in the guest, in place of what runs there, and clients for it. The guest's network must pass, so an agent
     * must be attached.
     *
     * @param guestCommand for the guest's workload service without the number; null for nothing
     * @param load of clients; null for none
     */
    void start(final String guestCommand, final LoadSpec load) {
        stop();
        if (guestCommand != null) {
            final long run = RUNS.incrementAndGet() & Long.MAX_VALUE;
            clients.tellGuest("run " + run + " " + guestCommand);
            progress = GuestProgress.find(subject.lab().hostA().ramFile(), run);
        }
        if (load != null) {
            clients.start(load);
            hasLoad = true;
        }
    }

    /** The same with an agent that is attached for no longer than it takes. */
    void startOnce(final Workload workload) {
        final Protection network = Protection.attach(subject, List.of(), AgentOptions.DEFAULT_PERIOD);
        try {
            start(workload.guestCommand(), workload.load());
        } finally {
            network.close();
        }
    }

    GuestProgress progress() {
        return progress;
    }

    private void stop() {
        if (hasLoad) {
            clients.endLoad();
            hasLoad = false;
        }
        if (progress != null) {
            progress.close();
            progress = null;
            clients.tellGuest("stop");
        }
    }

    /** Of the clients: the last requests that were answered. */
    List<TimedRequest> lastRequests() {
        return clients.lastRequests();
    }

    List<Probe> probes() {
        final List<Probe> probes = new ArrayList<>();
        if (progress != null) {
            probes.add(Probes.progress(progress));
        }
        if (hasLoad) {
            probes.add(Probes.clients(clients));
        }
        return probes;
    }

    /** For workloads that compute something whose result is known. */
    void addVerdict(final Map<String, Double> figures) {
        if (progress == null) {
            return;
        }
        if (progress.failed() > 0) {
            throw new TestbedException("NPB-EP computed another result than the published one");
        }
        figures.put("verifiedResults", (double) progress.verified());
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
        }
        clients.close();
    }
}
