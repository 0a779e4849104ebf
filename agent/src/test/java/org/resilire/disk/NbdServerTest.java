package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.synthetic.Await;

@Timeout(60)
class NbdServerTest {

    private static final int LENGTH_BYTES = 48 << 20;
    private static final byte[] NOTHING = new byte[0];

    @TempDir
    Path directory;

    private final Gate gate = new Gate();
    private Path path;
    private Path socket;
    private DiskImage image;
    private NbdServer server;

    @BeforeEach
    void serve() throws IOException {
        path = TestImage.empty(directory.resolve("image"), LENGTH_BYTES);
        socket = directory.resolve("nbd");
        image = DiskImage.open(path, false, gate);
        server = NbdServer.start(socket, List.of(new NbdExport("d0", image)));
    }

    @AfterEach
    void end() throws IOException {
        gate.open.countDown();
        server.close();
        image.close();
    }

    @Test
    void shouldRefuseEveryChangeUntilItsGateIsOpened() throws IOException {
        final WriteGate writes = WriteGate.closed();
        final Path other = directory.resolve("standby");
        try (NbdServer standby = NbdServer.start(other, List.of(new NbdExport("d0", image, writes)));
                TestNbdClient client = TestNbdClient.go(other, "d0")) {
            client.request(0, Nbd.CMD_WRITE, 1, 0, 512, new byte[512]);
            assertEquals(Nbd.EPERM, client.reply(0).error());
            client.request(0, Nbd.CMD_WRITE, 2, 0, 2 << 20, new byte[2 << 20]);
            assertEquals(Nbd.EPERM, client.reply(0).error());
            for (final int command : new int[] {Nbd.CMD_TRIM, Nbd.CMD_WRITE_ZEROES}) {
                client.request(0, command, 3, 0, 512);
                assertEquals(Nbd.EPERM, client.reply(0).error());
            }
            client.request(0, Nbd.CMD_READ, 4, 0, 512);
            assertEquals(0, client.reply(512).error());
            writes.open();
            client.request(0, Nbd.CMD_WRITE, 5, 0, 512, new byte[512]);
            assertEquals(0, client.reply(0).error());
            assertEquals(1, standby.connectionCount());
        }
    }

    @Test
    void shouldListAndDescribeItsExports() throws IOException {
        try (TestNbdClient client = TestNbdClient.connect(socket)) {
            final List<TestNbdClient.OptionReply> listed = client.option(Nbd.OPT_LIST, NOTHING);
            assertEquals(2, listed.size());
            assertEquals(Nbd.REP_SERVER, listed.getFirst().type());
            final List<TestNbdClient.OptionReply> info = client.option(Nbd.OPT_INFO, TestNbdClient.name("d0"));
            assertEquals(LENGTH_BYTES, info.getFirst().data().getLong(2));
            assertEquals(0x1ed, info.getFirst().data().getShort(10));
            assertEquals(
                    Nbd.REP_ERR_UNKNOWN,
                    client.option(Nbd.OPT_GO, TestNbdClient.name("d1"))
                            .getFirst()
                            .type());
            assertEquals(Nbd.REP_ERR_UNSUP, client.option(5, NOTHING).getFirst().type());
            assertEquals(
                    Nbd.REP_ERR_UNSUP,
                    client.option(77, new byte[100]).getFirst().type());
            assertEquals(
                    Nbd.REP_ERR_TOO_BIG,
                    client.option(77, new byte[100_000]).getFirst().type());
            assertEquals(
                    Nbd.REP_ACK,
                    client.option(Nbd.OPT_ABORT, NOTHING).getFirst().type());
            assertTrue(client.isAtEnd());
        }
    }

    @Test
    void shouldOfferAllocationOnlyWithStructuredReplies() throws IOException {
        try (TestNbdClient client = TestNbdClient.connect(socket)) {
            final byte[] query = TestNbdClient.metaContext("d0", "base:allocation");
            assertEquals(
                    Nbd.REP_ERR_INVALID,
                    client.option(Nbd.OPT_SET_META_CONTEXT, query).getFirst().type());
            client.option(Nbd.OPT_STRUCTURED_REPLY, NOTHING);
            assertEquals(2, client.option(Nbd.OPT_SET_META_CONTEXT, query).size());
            assertEquals(
                    2,
                    client.option(Nbd.OPT_LIST_META_CONTEXT, TestNbdClient.metaContext("d0"))
                            .size());
            assertEquals(
                    2,
                    client.option(Nbd.OPT_LIST_META_CONTEXT, TestNbdClient.metaContext("d0", "base:"))
                            .size());
            assertEquals(
                    1,
                    client.option(Nbd.OPT_SET_META_CONTEXT, TestNbdClient.metaContext("d0", "x:y"))
                            .size());
            client.option(Nbd.OPT_GO, TestNbdClient.name("d0"));
            assertEquals(
                    Nbd.EINVAL,
                    client.ask(0, Nbd.CMD_BLOCK_STATUS, 0, 4096, NOTHING),
                    "the last choice counts, and it was none");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldReadBackWhatWasWritten(final boolean isStructured) throws IOException {
        final Random random = new Random(11);
        try (TestNbdClient client =
                isStructured ? TestNbdClient.go(socket, "d0") : TestNbdClient.simple(socket, "d0")) {
            for (final int lengthBytes :
                    new int[] {1, 511, 512, 4096, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 5 << 20}) {
                final byte[] data = new byte[lengthBytes];
                random.nextBytes(data);
                final long offset = random.nextLong(LENGTH_BYTES - lengthBytes);
                assertEquals(0, client.ask(random.nextInt(2), Nbd.CMD_WRITE, offset, lengthBytes, data));
                assertArrayEquals(data, client.read(offset, lengthBytes, isStructured));
                final byte[] file = Files.readAllBytes(path);
                assertArrayEquals(data, Arrays.copyOfRange(file, (int) offset, (int) offset + lengthBytes));
            }
            assertEquals(0, client.ask(0, Nbd.CMD_FLUSH, 0, 0, NOTHING));
            client.request(0, Nbd.CMD_DISC, 0, 0, 0);
            assertTrue(client.isAtEnd());
        }
    }

    @Test
    void shouldSendOneChunkWhereAskedNotToFragment() throws IOException {
        final byte[] data = new byte[3 << 20];
        new Random(5).nextBytes(data);
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            assertEquals(0, client.ask(0, Nbd.CMD_WRITE, 100, data.length, data));
            client.request(Nbd.CMD_FLAG_DF, Nbd.CMD_READ, 9, 100, data.length);
            final TestNbdClient.Reply chunk = client.reply(0);
            assertEquals(8 + data.length, chunk.data().capacity());
            assertArrayEquals(data, Arrays.copyOfRange(chunk.data().array(), 8, 8 + data.length));
            assertTrue(client.reply(0).isLast());
        }
    }

    @Test
    void shouldTellHolesAndMakeThem() throws IOException {
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            assertEquals(0, client.ask(0, Nbd.CMD_WRITE, 1 << 20, 1 << 20, new byte[1 << 20]));
            assertEquals(List.of(1 << 20, 3, 1 << 20, 0, 2 << 20, 3), status(client, 0, 4 << 20, 0));
            assertEquals(List.of(1 << 20, 3), status(client, 0, 4 << 20, Nbd.CMD_FLAG_REQ_ONE));
            assertEquals(List.of(512, 0), status(client, (1 << 20) + 1024, 512, 0));

            assertEquals(0, client.ask(0, Nbd.CMD_WRITE_ZEROES, 1 << 20, 512 << 10, NOTHING));
            assertEquals(List.of((1 << 20) + (512 << 10), 3), status(client, 0, 4 << 20, Nbd.CMD_FLAG_REQ_ONE));
            assertEquals(0, client.ask(Nbd.CMD_FLAG_FUA, Nbd.CMD_TRIM, 1 << 20, 1 << 20, NOTHING));
            assertEquals(List.of(4 << 20, 3), status(client, 0, 4 << 20, 0));
            final int noHole = Nbd.CMD_FLAG_NO_HOLE | Nbd.CMD_FLAG_FUA;
            assertEquals(0, client.ask(noHole, Nbd.CMD_WRITE_ZEROES, 0, 40 << 20, NOTHING));
            assertArrayEquals(new byte[1 << 20], client.read(1 << 20, 1 << 20, true));
        }
    }

    private static List<Integer> status(
            final TestNbdClient client, final long offset, final int lengthBytes, final int flags) throws IOException {
        client.request(flags, Nbd.CMD_BLOCK_STATUS, 4, offset, lengthBytes);
        final TestNbdClient.Reply reply = client.reply(0);
        assertEquals(Nbd.REPLY_BLOCK_STATUS, reply.type());
        assertEquals(Nbd.BASE_ALLOCATION_ID, reply.data().getInt());
        final List<Integer> fields = new ArrayList<>();
        while (reply.data().hasRemaining()) {
            fields.add(reply.data().getInt());
        }
        return fields;
    }

    @Test
    void shouldAnswerBadRequestsAndGoOn() throws IOException {
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            assertEquals(Nbd.EINVAL, client.ask(0, Nbd.CMD_READ, LENGTH_BYTES - 1, 2, NOTHING));
            assertEquals(Nbd.EINVAL, client.ask(0, Nbd.CMD_READ, -1, 2, NOTHING));
            assertEquals(Nbd.EINVAL, client.ask(0, Nbd.CMD_READ, 0, 0, NOTHING));
            assertEquals(Nbd.EINVAL, client.ask(0, Nbd.CMD_READ, 0, Nbd.MAX_READ_BYTES + 1, NOTHING));
            assertEquals(Nbd.EINVAL, client.ask(0, Nbd.CMD_READ, 0, -1, NOTHING));
            assertEquals(Nbd.ENOSPC, client.ask(0, Nbd.CMD_WRITE, LENGTH_BYTES - 1, 2, new byte[2]));
            assertEquals(Nbd.ENOSPC, client.ask(0, Nbd.CMD_TRIM, LENGTH_BYTES, 1, NOTHING));
            assertEquals(Nbd.ENOSPC, client.ask(0, Nbd.CMD_WRITE_ZEROES, Long.MAX_VALUE, 1, NOTHING));
            assertEquals(Nbd.EINVAL, client.ask(0, Nbd.CMD_FLUSH, 0, 5, NOTHING));
            assertEquals(Nbd.EINVAL, client.ask(1 << 9, Nbd.CMD_READ, 0, 512, NOTHING));
            assertEquals(Nbd.EINVAL, client.ask(0, 99, 0, 512, NOTHING));
            assertEquals(512, client.read(0, 512, true).length);
        }
        assertEquals(LENGTH_BYTES, Files.size(path));
        assertEquals(-1, Files.mismatch(path, TestImage.empty(directory.resolve("zeros"), LENGTH_BYTES)));
    }

    @Test
    void shouldAnswerQuickRequestsWhileSlowOnesWait() throws IOException {
        gate.isShut = true;
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            final int slow = NbdServer.DEFAULT_WORKERS - 1;
            for (int i = 0; i < slow; i++) {
                client.request(0, Nbd.CMD_WRITE, i, i * 4096L, 4096, new byte[4096]);
            }
            Await.until("all under way at once", () -> gate.waiting.get() == slow);
            client.request(0, Nbd.CMD_READ, 100, 0, 512);
            assertEquals(100, client.reply(0).cookie(), "a later request is answered first");
            gate.open.countDown();
            final Set<Long> cookies = new HashSet<>();
            for (int i = 0; i < slow; i++) {
                cookies.add(client.reply(0).cookie());
            }
            assertEquals(slow, cookies.size());
        }
    }

    @Test
    void shouldFinishWhatIsUnderWayWhenTheClientDisconnects() throws IOException {
        gate.isShut = true;
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            client.request(0, Nbd.CMD_WRITE, 7, 0, 1, new byte[] {42});
            Await.until("the write waits", () -> gate.waiting.get() == 1);
            client.request(0, Nbd.CMD_DISC, 0, 0, 0);
            gate.open.countDown();
            assertEquals(7, client.reply(0).cookie());
            assertTrue(client.isAtEnd());
        }
        try (TestNbdClient client = TestNbdClient.go(socket, "")) {
            assertArrayEquals(new byte[] {42, 0}, client.read(0, 2, true));
        }
    }

    @Test
    void shouldRefuseChangesOfAReadOnlyExportAndTakeOverADeadSocketOnly() throws IOException {
        assertThrows(DiskImageException.class, () -> NbdServer.start(socket, List.of()));
        server.close();
        image.close();
        assertFalse(Files.exists(socket));
        image = DiskImage.open(path, true, WriteObserver.NONE);
        server = NbdServer.start(socket, List.of(new NbdExport("d0", image)));
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            assertEquals(Nbd.EPERM, client.ask(0, Nbd.CMD_WRITE, 0, 512, new byte[512]));
            assertEquals(Nbd.EPERM, client.ask(0, Nbd.CMD_TRIM, 0, 512, NOTHING));
            assertEquals(Nbd.EPERM, client.ask(0, Nbd.CMD_WRITE_ZEROES, 0, 512, NOTHING));
            assertEquals(0, client.ask(0, Nbd.CMD_FLUSH, 0, 0, NOTHING));
        }
    }

    @Test
    void shouldLeaveASocketAloneThatAnotherServerHasPutInItsPlace() throws IOException {
        Files.delete(socket);
        try (NbdServer another = NbdServer.start(socket, List.of(new NbdExport("d0", image)))) {
            server.close();
            TestNbdClient.go(socket, "d0").close();
            Await.until("the other one has served", () -> another.connectionCount() == 0);
        }
        assertFalse(Files.exists(socket));
    }

    @Test
    void shouldTurnAwayMoreClientsThanItServesAndServeAgainWhenOneLeaves() throws IOException {
        final List<TestNbdClient> clients = new ArrayList<>();
        for (int i = 0; i < NbdServer.MAX_CONNECTIONS; i++) {
            clients.add(TestNbdClient.go(socket, "d0"));
        }
        assertThrows(IOException.class, () -> TestNbdClient.connect(socket));
        for (final TestNbdClient client : clients) {
            client.close();
        }
        Await.until("room again", () -> server.connectionCount() == 0);
        TestNbdClient.go(socket, "d0").close();
    }

    @Test
    void shouldEndEvenIfAClientReadsNoAnswer() throws IOException {
        try (TestNbdClient client = TestNbdClient.go(socket, "d0")) {
            for (int i = 0; i < 20; i++) {
                client.request(0, Nbd.CMD_READ, i, 0, 8 << 20);
            }
            server.close();
            assertEquals(0, server.connectionCount());
        }
    }

    /** Makes writes wait, as a full log does. */
    private static final class Gate implements WriteObserver {

        final CountDownLatch open = new CountDownLatch(1);
        final AtomicInteger waiting = new AtomicInteger();
        volatile boolean isShut;

        @Override
        public boolean isReady(final DiskChange change, final long lengthBytes) {
            return !isShut || open.getCount() == 0;
        }

        @Override
        public void beforeChange(final DiskChange change, final long diskOffset, final long lengthBytes) {
            if (isShut) {
                waiting.incrementAndGet();
                try {
                    open.await();
                } catch (final InterruptedException interrupted) {
                    throw new IllegalStateException(interrupted);
                }
            }
        }

        @Override
        public void changed(
                final DiskChange change,
                final long diskOffset,
                final long lengthBytes,
                final MemorySegment data,
                final long dataOffset) {}

        @Override
        public void unchanged(final DiskChange change, final long lengthBytes) {}

        @Override
        public void uncertain(final DiskChange change, final long diskOffset, final long lengthBytes) {}
    }
}
