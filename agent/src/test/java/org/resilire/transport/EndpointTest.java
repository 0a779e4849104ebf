package org.resilire.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointTest {

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:7400, 127.0.0.1, 7400, aeron:udp?endpoint=127.0.0.1:7400",
        "10.255.0.9:0, 10.255.0.9, 0, aeron:udp?endpoint=10.255.0.9:0",
        "[::1]:65535, ::1, 65535, aeron:udp?endpoint=[::1]:65535",
        "[fe80::1:2]:1, fe80::1:2, 1, aeron:udp?endpoint=[fe80::1:2]:1",
        "[::ffff:10.0.0.1]:5, ::ffff:10.0.0.1, 5, aeron:udp?endpoint=[::ffff:10.0.0.1]:5",
    })
    void shouldReadWhatItWrites(final String text, final String host, final int port, final String channel) {
        final Endpoint endpoint = Endpoint.parse(text);
        assertEquals(new Endpoint(host, port), endpoint);
        assertEquals(text, endpoint.toString());
        assertEquals(channel, endpoint.channel());
    }

    /** What a peer says must neither be looked up as a name nor add parameters to a channel. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                ":5",
                "localhost:5",
                "host.example:5",
                "300.1.1.1:5",
                "1.1.1:5",
                "1.1.1.1",
                "1.1.1.1:",
                "1.1.1.1:x",
                "1.1.1.1:-1",
                "1.1.1.1:65536",
                "1.1.1.1:99999999999",
                "1.1.1.1:5|term-length=64k",
                "1.1.1.1|mtu=9k:5",
                "[::1|interface=x]:5",
                "::::1:5",
                "[1:2]:5",
                "[fe80::1%eth0]:5",
                "[::1:5",
                "\n1.1.1.1:5"
            })
    void shouldRefuseWhatIsNoNumericAddress(final String text) {
        assertThrows(IllegalArgumentException.class, () -> Endpoint.parse(text));
    }

    @Test
    void shouldFindTheLocalAddressTowardsAPeer() {
        assertEquals(new Endpoint("127.0.0.1", 0), new Endpoint("127.0.0.1", 7400).localAddressTowards());
    }
}
