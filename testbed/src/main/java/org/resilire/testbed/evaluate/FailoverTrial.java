package org.resilire.testbed.evaluate;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.evaluate.client.ClientProcess;
import org.resilire.testbed.evaluate.client.LoadSample;
import org.resilire.testbed.evaluate.client.TimedRequest;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.HostPair;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.Takeover;
import org.resilire.testbed.lab.TakeoverMode;

/** One death of a host under a load, as its clients see it. One thread. */
final class FailoverTrial {

    private static final Duration DETECT_TIMEOUT = Duration.ofMillis(100);
    private static final Duration PROTECTION_LIMIT = Duration.ofMinutes(2);
    private static final Duration TAKEOVER_LIMIT = Duration.ofSeconds(15);
    private static final Duration SERVICE_LIMIT = Duration.ofSeconds(30);
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(50);

    /** Before death: some checkpoints. */
    private static final Duration PROTECTED = Duration.ofSeconds(4);

    /** How long the clients go on afterwards: every connection has asked again by then. */
    private static final Duration AFTERLIFE = Duration.ofSeconds(5);

    private final GuestConfig config;
    private final ReplayLoad load;
    private final AgentOptions options;
    private final SplittableRandom random;

    /** @param seed decides the instant of death */
    FailoverTrial(
            final GuestConfig config,
            final ReplayLoad load,
            final ReplayMode mode,
            final Duration period,
            final long seed) {
        this.config = config;
        this.load = load;
        options = AgentOptions.defaults()
                .withPeriod(period)
                .withDetectTimeout(DETECT_TIMEOUT)
                .withPrimaryExtra(mode.options().toArray(String[]::new));
        random = new SplittableRandom(seed);
    }

    /**
     * Boots, protects, kills and waits for answers from the other host.
     *
     * @return figures of the failover
     */
    Map<String, Double> run() {
        try (Lab lab = Lab.create();
                HostPair hosts = new HostPair(lab, config)) {
            hosts.bootGuest();
            hosts.startPrimary(options).awaitAttached();
            try (ClientProcess clients = ClientProcess.start(lab)) {
                if (load.guestCommand() != null) {
                    clients.tellGuest("run 1 " + load.guestCommand());
                }
                clients.start(load.clients());
                hosts.startStandby(TakeoverMode.AUTO, options);
                hosts.awaitProtected(PROTECTION_LIMIT);
                LockSupport.parkNanos(
                        PROTECTED.toNanos() + random.nextLong(options.period().toNanos() * 2));
                hosts.awaitProtected(PROTECTION_LIMIT);
                clients.sample();
                final Takeover takeover = Takeover.await(hosts.standby(), hosts.killHostA(true), TAKEOVER_LIMIT);
                if (!takeover.hasHappened()) {
                    throw new TestbedException(
                            "host B did not take over" + hosts.standby().described());
                }
                return figures(clients, hosts.standby(), takeover);
            }
        }
    }

    private static Map<String, Double> figures(
            final ClientProcess clients, final AgentProcess standby, final Takeover takeover) {
        final List<TimedRequest> answered = new ArrayList<>();
        // Answers that came later can only be from host B.
        Await.until(
                () -> {
                    answered.clear();
                    answered.addAll(clients.lastRequests().stream()
                            .filter(request -> request.sentNs() + request.latencyNanos() > takeover.stoodByNs())
                            .toList());
                    return !answered.isEmpty();
                },
                SERVICE_LIMIT,
                LOOK_INTERVAL,
                () -> "nobody was answered within " + SERVICE_LIMIT.toSeconds() + " s" + standby.described());
        final long firstNs = answered.stream()
                .mapToLong(request -> request.sentNs() + request.latencyNanos())
                .min()
                .orElseThrow();
        LockSupport.parkNanos(AFTERLIFE.toNanos());
        final LoadSample sample = clients.sample();
        final Map<String, Double> figures = new HashMap<>();
        figures.put("serviceDowntimeMillis", (firstNs - takeover.killedNs()) / 1e6);
        figures.put("takeoverMillis", takeover.millis());
        figures.put("detectMillis", standby.millis(AgentCounter.DETECT_NANOS_LAST));
        figures.put("resumeMillis", standby.millis(AgentCounter.RESUME_NANOS_LAST));
        figures.put("lostAnswers", (double) sample.lostAnswers());
        figures.put("duplicatedAnswers", (double) sample.duplicatedAnswers());
        figures.put("wrongAnswers", (double) sample.wrongAnswers());
        figures.put("brokenConnections", (double) sample.brokenConnections());
        figures.put("operations", (double) sample.operations());
        return figures;
    }
}
