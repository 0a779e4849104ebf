package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.resilire.control.AgentCounter;
import org.resilire.control.AgentState;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.AgentProcess;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.ChangingHosts;
import org.resilire.testbed.lab.DiskCheck;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.LabDisk;
import org.resilire.testbed.lab.LabHost;

/**
 * Hosts change roles, by failure and as planned, and the clients of the guest find nothing of it in what they were told. The guest has a
 * replicated disk, on which Redis has every write on stable storage before it answers.
 */
class ChangingRolesSystemTest {

    private static final String DISK = "d0";
    private static final long DISK_BYTES = 256L << 20;

    /** Between two checkpoints the clients are answered many times. */
    private static final Duration LONG_PERIOD = Duration.ofMillis(200);

    private static final Duration PUBLISHED_LIMIT = Duration.ofSeconds(10);

    private static final GuestConfig WITH_DISK =
            GuestConfig.small(GuestImage.fromEnvironment()).withDisks(DISK);

    private static ChangingHosts protect(final TwoHosts hosts, final AgentOptions agents) {
        final ChangingHosts roles = new ChangingHosts(hosts.lab(), hosts.config(), agents);
        if (!hosts.config().disks().isEmpty()) {
            LabDisk.createExt4(hosts.lab(), DISK, DISK_BYTES);
        }
        roles.protect(hosts::bootGuest);
        hosts.startLoad();
        hosts.awaitAnswersSince(System.nanoTime());
        return roles;
    }

    @Test
    void shouldMoveTheGuestWithItsDiskToAndFroUnderLoadAndProveBetweenThatItsStandbyWorks() throws IOException {
        try (TwoHosts hosts = TwoHosts.withoutGuest("ChangingRolesSystemTest-moves", WITH_DISK)) {
            final ChangingHosts roles = protect(hosts, TwoHosts.patient().withDisks(DISK));
            for (int move = 1; move <= 2; move++) {
                move(hosts, roles);
                assertEquals(1 + move, roles.primary().counter(AgentCounter.GENERATION), roles::describe);
            }
            requireNothingCompared(roles);
            assertEquals(
                    0,
                    CommandRun.about(hosts.lab(), roles.activeHost(), "verify").exitStatus(),
                    roles::describe);

            final long epochs = roles.primary().counter(AgentCounter.EPOCHS_TOTAL);
            final CommandRun trial = CommandRun.about(
                    hosts.lab(),
                    roles.otherHost(),
                    "test-failover",
                    "--for",
                    "3s",
                    "--check",
                    "test -S \"$RESILIRE_TEST_QMP\" && kill -0 \"$RESILIRE_TEST_PID\"");
            System.out.println("test-failover: " + trial.output());
            assertEquals(0, trial.exitStatus(), () -> trial + roles.describe());
            assertTrue(trial.output().getFirst().startsWith("passed"), trial::toString);
            assertEquals(AgentState.PROTECTED, roles.primary().state(), roles::describe);
            assertEquals(AgentState.STANDBY_READY, roles.backup().state(), roles::describe);
            assertEquals(1, roles.primary().counter(AgentCounter.SYNCHRONISATIONS), "protection was never lost");
            assertTrue(roles.primary().counter(AgentCounter.EPOCHS_TOTAL) > epochs, roles::describe);
            // The standby itself, and its disk, are as good as before.
            roles.killActiveHost();
            hosts.requireNothingLost();
            assertCleanDisk(hosts, roles);
        }
    }

    @Test
    void shouldKeepEveryAnswerTrueWhenOneHostAfterTheOtherDiesAndIsRepaired() throws IOException {
        try (TwoHosts hosts = TwoHosts.withoutGuest("ChangingRolesSystemTest-chain", WITH_DISK)) {
            final ChangingHosts roles = protect(hosts, TwoHosts.patient().withDisks(DISK));
            for (int death = 1; death <= 2; death++) {
                roles.killActiveHost();
                hosts.awaitAnswersSince(System.nanoTime());
                roles.offerStandby();
                roles.awaitProtected();
                assertEquals(1 + death, roles.primary().counter(AgentCounter.GENERATION), roles::describe);
                assertEquals(
                        0,
                        CommandRun.about(hosts.lab(), roles.activeHost(), "verify")
                                .exitStatus(),
                        roles::describe);
            }
            requireNothingCompared(roles);
            hosts.requireNothingLost();
            assertCleanDisk(hosts, roles);
        }
    }

    @Test
    void shouldMoveAGuestWhoseInputIsLoggedAndReplayThatInTwoTakeoversAfterEachOther() {
        final GuestConfig guest = GuestConfig.small(GuestImage.fromEnvironment());
        try (TwoHosts hosts = TwoHosts.withoutGuest("ChangingRolesSystemTest-llm", guest)) {
            final String[] mode = {"--mode", "llm"};
            final ChangingHosts roles = protect(
                    hosts,
                    TwoHosts.patient()
                            .withPeriod(LONG_PERIOD)
                            .withPrimaryExtra(mode)
                            .withStandbyExtra(mode));
            move(hosts, roles);
            final AgentProcess firstSuccessor = roles.killActiveHost();
            hosts.awaitAnswersSince(System.nanoTime());
            roles.offerStandby();
            roles.awaitProtected();
            assertEquals(3, roles.primary().counter(AgentCounter.GENERATION), roles::describe);
            requireReplayed(firstSuccessor, roles);
            hosts.awaitAnswersSince(System.nanoTime());

            final AgentProcess secondSuccessor = roles.killActiveHost();
            hosts.requireNothingLost();
            requireReplayed(secondSuccessor, roles);
            assertEquals(4, secondSuccessor.counter(AgentCounter.GENERATION), roles::describe);
        }
    }

    /** Of a takeover: the guest did again what it had done since its checkpoint, and did the same. */
    private static void requireReplayed(final AgentProcess successor, final ChangingHosts roles) {
        // Counters are published a few times a second, and between two roles not at all.
        Await.until(() -> successor.counter(AgentCounter.REPLAYED_FRAMES) > 0, PUBLISHED_LIMIT, roles::describe);
        assertEquals(0, successor.counter(AgentCounter.DIVERGED_FLOWS), roles::describe);
    }

    private static void move(final TwoHosts hosts, final ChangingHosts roles) {
        final CommandRun run = CommandRun.about(hosts.lab(), roles.activeHost(), "switchover");
        assertEquals(0, run.exitStatus(), () -> run + roles.describe());
        System.out.println("switchover: " + run.output());
        roles.awaitRolesChanged();
        hosts.awaitAnswersSince(System.nanoTime());
        roles.awaitProtected();
    }

    /** What a guest left on its disk is known: nothing but that and what changed since had to travel. */
    private static void requireNothingCompared(final ChangingHosts roles) throws IOException {
        for (final AgentProcess agent : List.of(roles.primary(), roles.backup())) {
            assertFalse(Files.readString(agent.process().log()).contains("by hashes"), roles::describe);
        }
    }

    /** As a loss of power of the host that runs the guest would leave it. */
    private static void assertCleanDisk(final TwoHosts hosts, final ChangingHosts roles) {
        final LabHost host = roles.activeHost();
        hosts.lab().powerOff(host);
        final Path copy = host.diskDirectory().resolve("copy");
        LabDisk.copy(host.diskImage(DISK), copy);
        assertEquals(Optional.empty(), DiskCheck.complaint(copy));
    }
}
