package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.resilire.control.AgentCounter;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;

/** Hosts change roles as planned, and the clients of the guest find nothing of it in what they were told. */
class ChangingRolesSystemTest {

    private static final int CHANGES = 3;

    private static final GuestConfig SMALL = GuestConfig.small(GuestImage.fromEnvironment());

    @Test
    void shouldMoveTheGuestToAndFroUnderLoadAndLoseNoOperation() {
        try (TwoHosts hosts = TwoHosts.boot("ChangingRolesSystemTest-switchover", SMALL)) {
            final ChangingHosts roles = new ChangingHosts(hosts);
            roles.protect();
            hosts.startLoad();
            for (int move = 1; move <= CHANGES; move++) {
                hosts.awaitAnswersSince(System.nanoTime());
                final CommandRun run = roles.onActiveHost("switchover");
                assertEquals(0, run.exitStatus(), () -> run + roles.describe());
                assertTrue(run.output().toString().contains("stood still"), run::toString);
                System.out.println("switchover " + move + ": " + run.output());
                roles.awaitRolesChanged();
                hosts.awaitAnswersSince(System.nanoTime());
                roles.awaitProtected();
                assertEquals(1 + move, roles.primary().counter(AgentCounter.GENERATION), roles::describe);
            }
            hosts.requireNothingLost();
        }
    }
}
