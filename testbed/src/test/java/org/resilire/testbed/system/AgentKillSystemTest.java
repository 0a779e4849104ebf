package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.TestbedException;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Namespace;
import org.resilire.testbed.lab.QmpClient;
import org.resilire.testbed.lab.TakeoverMode;

/**
 * Agents die, links break: the guest goes on, its clients notice no more than a delay, and protection resumes by itself. One
 * guest and the connections of its clients live through all of it; an operator, not the backup, would decide a takeover.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AgentKillSystemTest {

    /** As {@code Runtime.halt} is told, and as SIGKILL ends. */
    private static final int KILLED = 137;

    private static final Duration FIRING_LIMIT = Duration.ofSeconds(60);

    /** What is promised. */
    private static final long RESUME_MILLIS = 100;

    /** For the scheduling of the guard and of this test where others use the machine too. */
    private static final long SCHEDULING_SLACK_MILLIS = 150;

    private static TwoHosts hosts;

    @BeforeAll
    static void protectGuest() {
        hosts = TwoHosts.boot(AgentKillSystemTest.class);
        protectAgain();
        hosts.startLoad();
    }

    @AfterAll
    static void closeLab() {
        if (hosts != null) {
            hosts.close();
        }
    }

    /** Whatever the test before left behind. */
    @BeforeEach
    void requireProtection() {
        if (!hosts.isProtected()) {
            hosts.lab().restoreReplicationLink();
            protectAgain();
        }
        hosts.awaitAnswersSince(System.nanoTime());
    }

    private static void protectAgain() {
        if (hosts.standby() == null || !hosts.standby().process().isAlive()) {
            hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient());
        }
        if (hosts.primary() == null || !hosts.primary().process().isAlive()) {
            hosts.startPrimary(TwoHosts.patient());
        }
        hosts.awaitProtected();
    }

    @Test
    @Order(1)
    void shouldNotHarmGuestWhenAgentDiesWithEpochHalfSent() {
        // Counted in pieces of epochs; those of the synchronisation are fewer, for they are larger.
        hosts.startPrimary(armed("primary-halt-mid-epoch@1500"));
        hosts.awaitProtected();
        awaitHalt(hosts.primary());
        assertGuestRuns();
        assertProtectedAgainByNewPrimary();
    }

    @Test
    @Order(2)
    void shouldResumeGuestThatAgentLeftPaused() {
        hosts.startPrimary(armed("primary-halt-while-paused@200"));
        hosts.awaitProtected();
        try (QmpClient qmp = hosts.guest().openQmp()) {
            final long pausedMillis = pauseAtDeathMillis(qmp, hosts.primary());
            System.out.println("guest stood still for " + pausedMillis + " ms at most after its agent died in a pause");
            assertTrue(
                    pausedMillis <= RESUME_MILLIS + SCHEDULING_SLACK_MILLIS,
                    () -> "the guest stood still for " + pausedMillis + " ms after its agent died; promised: "
                            + RESUME_MILLIS + " ms on an idle machine" + hosts.describe());
        }
        assertProtectedAgainByNewPrimary();
    }

    /** From the last sight of the living agent to the first of a running guest after its death. */
    private static long pauseAtDeathMillis(final QmpClient qmp, final AgentProcess agent) {
        final byte[] query = QmpClient.encode("query-status", Map.of());
        final long deadlineNs = System.nanoTime() + FIRING_LIMIT.toNanos();
        long aliveNs = System.nanoTime();
        while (System.nanoTime() - deadlineNs < 0) {
            final long nowNs = System.nanoTime();
            final boolean isAlive = agent.process().isAlive();
            if (isAlive) {
                aliveNs = nowNs;
            }
            final boolean isRunning =
                    qmp.execute(query).path("status").asString("").equals("running");
            if (!isAlive && isRunning) {
                return (System.nanoTime() - aliveNs) / 1_000_000;
            }
            LockSupport.parkNanos(1_000_000);
        }
        throw new TestbedException("waited " + FIRING_LIMIT.toSeconds()
                + " s for the agent to die and for the guest to run again" + hosts.describe());
    }

    @Test
    @Order(3)
    void shouldNotHarmGuestWhenAgentIsKilledAtAnyInstant() {
        final long seed = System.nanoTime();
        LockSupport.parkNanos(
                new SplittableRandom(seed).nextLong(Duration.ofMillis(500).toNanos()));
        hosts.primary().process().kill();
        hosts.primary().process().awaitEnd(TwoHosts.END_LIMIT);
        assertGuestRuns();
        assertProtectedAgainByNewPrimary();
    }

    @Test
    @Order(4)
    void shouldGoOnUnprotectedWithoutBackupAndBeProtectedByNext() {
        hosts.standby().process().kill();
        assertGoesOnUnprotected();
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient());
        assertProtectedAgain();
    }

    @ParameterizedTest
    @ValueSource(strings = {"backup-halt-before-commit@200", "backup-halt-before-ack@200"})
    @Order(5)
    void shouldGoOnWhenBackupDiesWithEpochInItsHands(final String failurePoint) {
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient().withStandbyExtra("--arm", failurePoint));
        awaitHalt(hosts.standby());
        assertGoesOnUnprotected();
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient());
        assertProtectedAgain();
    }

    @Test
    @Order(6)
    void shouldGoOnWhileLinkIsCutAndBeProtectedWhenItIsBack() {
        hosts.lab().cutReplicationLink();
        assertGoesOnUnprotected();
        hosts.lab().restoreReplicationLink();
        assertProtectedAgain();
    }

    @Test
    @Order(7)
    void shouldPauseGuestWithoutBackupIfToldToAndGoOnWithNext() {
        final AgentOptions pausing = TwoHosts.patient().withPrimaryExtra("--on-backup-loss", "pause");
        hosts.startPrimary(pausing);
        assertProtectedAgain();
        loseBackupAndPause();
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient());
        assertProtectedAgain();
        assertGuestRuns();

        loseBackupAndPause();
        hosts.primary().process().kill();
        hosts.primary().process().awaitEnd(TwoHosts.END_LIMIT);
        hosts.startPrimary(pausing);
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient());
        assertProtectedAgain();
        assertGuestRuns();
    }

    private static void loseBackupAndPause() {
        hosts.standby().process().kill();
        hosts.await(
                () -> hosts.primary().state() == AgentState.UNPROTECTED,
                TwoHosts.END_LIMIT,
                "the primary to say that the guest is unprotected",
                false);
        awaitGuestIs("paused");
    }

    @Test
    @Order(8)
    void shouldReplicateThroughMediaDriversOfItsOwnHosts() {
        final Path driverA = startMediaDriver("driver-a", hosts.lab().hostA().namespace());
        final Path driverB = startMediaDriver("driver-b", hosts.lab().hostB().namespace());
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient().withStandbyExtra("--aeron-dir", driverB.toString()));
        hosts.startPrimary(TwoHosts.patient().withPrimaryExtra("--aeron-dir", driverA.toString()));
        assertProtectedAgain();
        assertEquals(0, hosts.verify().exitStatus(), hosts::describe);
        hosts.startPrimary(TwoHosts.patient());
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient());
        assertProtectedAgain();
    }

    private static Path startMediaDriver(final String name, final Namespace host) {
        final Path directory = hosts.lab().sharedMemory(name);
        hosts.lab()
                .start(
                        name,
                        host,
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-XX:+UseSerialGC",
                                "-Xmx64m",
                                "-Daeron.dir=" + directory,
                                "-Daeron.threading.mode=SHARED",
                                "-Daeron.sharedidle.strategy=org.agrona.concurrent.BackoffIdleStrategy",
                                "-cp",
                                System.getProperty("java.class.path"),
                                "io.aeron.driver.MediaDriver"));
        hosts.await(
                () -> Files.exists(directory.resolve("cnc.dat")),
                TwoHosts.END_LIMIT,
                "the media driver in " + directory,
                false);
        return directory;
    }

    @Test
    @Order(9)
    void shouldEndInOrderWhenAsked() {
        hosts.primary().process().terminate();
        hosts.primary().process().awaitEnd(TwoHosts.END_LIMIT);
        assertEquals(0, hosts.primary().process().exitStatus(), hosts::describe);
        assertEquals(AgentState.STOPPED, hosts.primary().state(), hosts::describe);
        assertGuestRuns();
        // It was told that protection ended: it must not offer to start an old state.
        hosts.await(
                () -> hosts.standby().state() == AgentState.STANDBY_WAITING,
                TwoHosts.END_LIMIT,
                "the backup to know that protection has ended",
                false);
        hosts.standby().process().terminate();
        hosts.standby().process().awaitEnd(TwoHosts.END_LIMIT);
        assertEquals(0, hosts.standby().process().exitStatus(), hosts::describe);
        hosts.startStandby(TakeoverMode.MANUAL, TwoHosts.patient());
        assertProtectedAgainByNewPrimary();
    }

    /** After everything above. */
    @Test
    @Order(10)
    void shouldHaveKeptEveryAcknowledgedOperationAndEveryConnection() {
        hosts.requireNothingLost();
    }

    private static AgentOptions armed(final String failurePoint) {
        return TwoHosts.patient().withPrimaryExtra("--arm", failurePoint);
    }

    private static void awaitHalt(final AgentProcess agent) {
        hosts.await(
                () -> !agent.process().isAlive(),
                FIRING_LIMIT,
                "the failure point of " + agent.process().name(),
                false);
        assertEquals(KILLED, agent.process().exitStatus(), hosts::describe);
    }

    private static void assertGuestRuns() {
        awaitGuestIs("running");
    }

    private static void awaitGuestIs(final String status) {
        try (QmpClient qmp = hosts.guest().openQmp()) {
            final byte[] query = QmpClient.encode("query-status", Map.of());
            hosts.await(
                    () -> qmp.execute(query).path("status").asString("").equals(status),
                    Duration.ofSeconds(2),
                    "the guest to be " + status,
                    false);
        }
    }

    private static void assertProtectedAgainByNewPrimary() {
        hosts.startPrimary(TwoHosts.patient());
        assertProtectedAgain();
    }

    /** The clients' connections, some of whose requests waited for an agent, go on. */
    private static void assertProtectedAgain() {
        hosts.awaitProtected();
        hosts.awaitEpochs(5, TwoHosts.PROTECTION_LIMIT);
        hosts.awaitAnswersSince(System.nanoTime());
    }

    private static void assertGoesOnUnprotected() {
        hosts.await(
                () -> hosts.primary().state() == AgentState.UNPROTECTED,
                TwoHosts.END_LIMIT,
                "the primary to say that the guest is unprotected",
                false);
        hosts.await(
                () -> hosts.primary().counter(AgentCounter.HELD_FRAMES) == 0,
                TwoHosts.END_LIMIT,
                "the primary to release what it held",
                false);
        hosts.awaitAnswersSince(System.nanoTime());
        assertEquals(AgentState.UNPROTECTED, hosts.primary().state(), hosts::describe);
    }
}
