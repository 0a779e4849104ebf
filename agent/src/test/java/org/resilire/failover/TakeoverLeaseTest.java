package org.resilire.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class TakeoverLeaseTest {

    private final TakeoverLease lease = new TakeoverLease(1_000);

    @Test
    void shouldEndItsTimeAfterTheSessionOpenedIfThePrimaryNeverAnswers() {
        lease.start(50);
        assertEquals(1_050, lease.endNanos());
    }

    @Test
    void shouldEndItsTimeAfterWhatThePrimaryEchoedNotAfterTheEchoArrived() {
        lease.start(50);
        lease.renew(60, 500);
        assertEquals(60, lease.renewedNanos());
        assertEquals(1_060, lease.endNanos());
    }

    @Test
    void shouldNotBelieveAnEchoFromTheFutureOrOlderThanTheLast() {
        lease.start(50);
        lease.renew(501, 500);
        assertEquals(50, lease.renewedNanos());
        lease.renew(400, 500);
        lease.renew(0, 600);
        lease.renew(399, 600);
        assertEquals(400, lease.renewedNanos());
    }

    @Test
    void shouldWorkWhereTheClockWrapsAround() {
        lease.start(Long.MAX_VALUE - 5);
        lease.renew(Long.MIN_VALUE + 10, Long.MIN_VALUE + 20);
        assertEquals(Long.MIN_VALUE + 1_010, lease.endNanos());
    }
}
