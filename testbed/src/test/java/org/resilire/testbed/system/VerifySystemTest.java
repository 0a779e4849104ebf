package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.resilire.control.AgentCounter;
import org.resilire.guest.GuestMemory;
import org.resilire.testbed.lab.Await;
import org.resilire.testbed.lab.LabHost;
import org.resilire.testbed.lab.TakeoverMode;

/** No dirty block is ever missed, and one that were would be found. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class VerifySystemTest {

    private static final int COMPARISONS = 5;
    private static final Duration EPOCHS_LIMIT = Duration.ofMinutes(2);
    private static final Duration COMPARISON_LIMIT = Duration.ofSeconds(20);

    private static TwoHosts hosts;

    @BeforeAll
    static void protectGuest() {
        hosts = TwoHosts.boot(VerifySystemTest.class);
        hosts.protect(TakeoverMode.MANUAL, TwoHosts.patient().withVerifyEvery(50));
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
    void shouldFindReplicaEqualWheneverAskedUnderLoad() {
        for (int i = 0; i < COMPARISONS; i++) {
            final CommandRun verify = hosts.verify();
            assertEquals(0, verify.exitStatus(), () -> "comparison: " + verify + hosts.describe());
            assertTrue(verify.output().getLast().startsWith("equal: 65536 pages at epoch "), verify::toString);
        }
    }

    @Test
    @Order(2)
    void shouldFindReplicaEqualAtEveryFiftiethOfThousandEpochs() {
        hosts.await(
                () -> hosts.primary().counter(AgentCounter.EPOCH_COMMITTED) >= 1_000
                        && hosts.primary().counter(AgentCounter.VERIFIED_EPOCHS) >= 20,
                EPOCHS_LIMIT,
                "1,000 epochs and 20 comparisons",
                true);
        assertEquals(0, hosts.primary().counter(AgentCounter.VERIFY_FAILURES), hosts::describe);
        hosts.awaitAnswersSince(System.nanoTime());
    }

    /** Most of this guest's memory is free from its start. To read a page of a shared file would give it memory on either host. */
    @Test
    @Order(3)
    void shouldGiveNoMemoryToPagesThatTheGuestNeverWrote() {
        for (final LabHost host : List.of(hosts.lab().hostA(), hosts.lab().hostB())) {
            try (GuestMemory memory = GuestMemory.mapForCapture(host.ramFile())) {
                final long populated = populatedPages(memory);
                assertTrue(
                        populated < memory.pageCount() * 3 / 4,
                        () -> host.label() + " gives memory to " + populated + " of " + memory.pageCount() + " pages");
            }
        }
    }

    private static long populatedPages(final GuestMemory memory) {
        long populated = 0;
        long page = memory.nextPopulatedPage(0);
        while (page < memory.pageCount()) {
            final long end = memory.nextUnpopulatedPage(page);
            populated += end - page;
            page = memory.nextPopulatedPage(end);
        }
        return populated;
    }

    /** The negative control: the comparisons above would have told. */
    @Test
    @Order(4)
    void shouldNameThePageThatWasWithheld() {
        hosts.startPrimary(TwoHosts.patient().withPrimaryExtra("--arm", "withhold-dirty-page@100"));
        hosts.awaitProtected();
        hosts.awaitAnswersSince(System.nanoTime());
        hosts.awaitEpochs(100, EPOCHS_LIMIT);
        final CommandRun[] verify = new CommandRun[1];
        // It takes some epochs to find a page that is certain to change.
        Await.until(
                () -> {
                    verify[0] = hosts.verify();
                    return verify[0].exitStatus() != 0;
                },
                COMPARISON_LIMIT,
                () -> "the comparisons do not find the withheld page: " + verify[0] + hosts.describe());
        assertEquals(1, verify[0].exitStatus(), () -> verify[0] + hosts.describe());
        assertTrue(
                verify[0]
                        .output()
                        .getLast()
                        .matches("DIFFERENT: 1 of 65536 pages at epoch \\d+; first pages: \\[\\d+]"),
                verify[0]::toString);
        assertTrue(hosts.primary().counter(AgentCounter.VERIFY_FAILURES) >= 1, hosts::describe);
    }
}
