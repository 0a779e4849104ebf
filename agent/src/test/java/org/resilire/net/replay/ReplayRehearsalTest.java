package org.resilire.net.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ReplayRehearsalTest {

    @Test
    void shouldReplayTheRequestThatTheClientHasBeenAnswered() {
        assertEquals(1, ReplayRehearsal.replay());
    }
}
