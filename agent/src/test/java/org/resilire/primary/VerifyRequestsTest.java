package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.resilire.synthetic.Await;

@Timeout(60)
class VerifyRequestsTest {

    private final VerifyRequests requests = new VerifyRequests();

    private CompletableFuture<VerifyRequests.Outcome> ask() {
        final int before = requests.waiting();
        final CompletableFuture<VerifyRequests.Outcome> asked = CompletableFuture.supplyAsync(() -> {
            try {
                return requests.await(TimeUnit.SECONDS.toNanos(30));
            } catch (final TimeoutException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Await.until("the request waits", () -> requests.waiting() > before);
        return asked;
    }

    private static PrimarySession.VerifyReport reportOf(final long epoch) {
        return new PrimarySession.VerifyReport(epoch, 10, 0, List.of());
    }

    @Test
    void shouldAnswerWithNoComparisonOlderThanTheRequest() {
        final CompletableFuture<VerifyRequests.Outcome> asked = ask();
        requests.complete(reportOf(6));
        assertTrue(requests.takeRequest(7));
        requests.complete(reportOf(6));
        assertEquals(1, requests.waiting());
        requests.complete(reportOf(7));
        assertEquals(7, asked.join().epoch());
    }

    @Test
    void shouldForgetWhoeverHasGivenUp() {
        for (int i = 0; i < 3; i++) {
            assertThrows(TimeoutException.class, () -> requests.await(1));
        }
        assertEquals(0, requests.waiting());
    }
}
