package org.resilire.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.synthetic.FileRoom;
import org.resilire.synthetic.Garbage;

@Timeout(60)
class AgentCountersTest {

    /** Less than a reader waits for the end of a text before it takes what there is. */
    private static final long DEAD_WRITER_NANOS = 50_000_000;

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void setUp() {
        file = directory.resolve("counters");
    }

    @Test
    void shouldShowEveryCounterToAReader() throws IOException {
        final AgentCounters counters = AgentCounters.create(file);
        final AgentCountersReader reader = AgentCountersReader.open(file);
        for (final AgentCounter counter : AgentCounter.values()) {
            assertEquals(counter.initialValue(), reader.value(counter), counter::label);
            assertEquals(counter.initialValue() == 0, reader.isKnown(counter), counter::label);
            counters.set(counter, 1_000 + counter.id());
        }
        for (final AgentCounter counter : AgentCounter.values()) {
            counters.increment(counter);
            counters.add(counter, 10);
        }
        for (final AgentCounter counter : AgentCounter.values()) {
            assertEquals(1_011 + counter.id(), reader.value(counter), counter::label);
            assertEquals(1_011 + counter.id(), counters.value(counter), counter::label);
        }
    }

    @Test
    void shouldKnowSinceWhenItIsInItsState() throws IOException {
        final long[] now = {1_000};
        final AgentCounters counters = AgentCounters.create(file, () -> now[0]);
        counters.state(AgentState.PROTECTED);
        now[0] = 2_000;
        counters.state(AgentState.PROTECTED);
        assertEquals(1_000, counters.value(AgentCounter.STATE_SINCE_EPOCH_MILLIS));
        counters.state(AgentState.PAUSED_BY_OPERATOR);
        assertEquals(2_000, counters.value(AgentCounter.STATE_SINCE_EPOCH_MILLIS));
    }

    @Test
    void shouldHaveCountersNamesAndIdsOnce() {
        final AgentCounter[] all = AgentCounter.values();
        assertEquals(
                all.length, Arrays.stream(all).map(AgentCounter::id).distinct().count());
        assertEquals(
                all.length,
                Arrays.stream(all).map(AgentCounter::jsonKey).distinct().count());
        assertTrue(all.length <= CountersFile.MAX_COUNTERS);
        assertTrue(AgentText.values().length <= CountersFile.MAX_TEXTS);
        assertEquals("pauseMillisP50", AgentCounter.PAUSE_NANOS_P50.jsonKey());
    }

    @Test
    void shouldKeepTheFlagForTheGuardWhereTheGuardLooks() throws IOException {
        final AgentCounters counters = AgentCounters.create(file);
        assertEquals(0, longInFileAt(4_096));
        counters.set(AgentCounter.PAUSED_BY_AGENT, 1);
        assertEquals(1, longInFileAt(4_096));
        assertEquals(4_096, CountersFile.PAUSED_BY_AGENT_OFFSET);
    }

    @Test
    void shouldBeginWithTheAgentItself() throws IOException {
        try (RunDirectory.Claim claim =
                RunDirectory.under(directory, "demo", AgentRole.BACKUP).claim()) {
            AgentCounters.create(claim, 1_234);
            final AgentCountersReader reader = AgentCountersReader.open(claim.directory());
            assertEquals(AgentRole.BACKUP, reader.role());
            assertEquals(AgentState.STARTING, reader.state());
            assertEquals("demo", reader.text(AgentText.VM_NAME));
            assertEquals(ProcessHandle.current().pid(), reader.value(AgentCounter.PID));
            assertEquals(1_234, reader.value(AgentCounter.STARTED_EPOCH_MILLIS));
        }
    }

    @Test
    void shouldReplaceTheFileOfADeadAgentAsAWhole() throws IOException {
        AgentCounters.create(file).set(AgentCounter.GENERATION, 1);
        final AgentCountersReader ofTheDead = AgentCountersReader.open(file);
        AgentCounters.create(file).set(AgentCounter.GENERATION, 2);
        assertEquals(1, ofTheDead.value(AgentCounter.GENERATION));
        assertEquals(2, AgentCountersReader.open(file).value(AgentCounter.GENERATION));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(1, directory.toFile().list().length, "no unfinished file stays");
    }

    @Test
    void shouldHaveRoomForAllOfItFromTheStart() throws IOException, InterruptedException {
        AgentCounters.create(file);
        assertTrue(FileRoom.bytes(file) >= CountersFile.LENGTH_BYTES);
    }

    @Test
    void shouldKeepTexts() throws IOException {
        final AgentCounters counters = AgentCounters.create(file);
        final AgentCountersReader reader = AgentCountersReader.open(file);
        assertEquals("", reader.text(AgentText.LAST_ERROR));
        counters.text(AgentText.LAST_ERROR, "the link to B is down: größer als");
        counters.text(AgentText.PEER, "b:7400");
        assertEquals("the link to B is down: größer als", reader.text(AgentText.LAST_ERROR));
        assertEquals("b:7400", counters.text(AgentText.PEER));
        counters.text(AgentText.LAST_ERROR, "");
        assertEquals("", reader.text(AgentText.LAST_ERROR));
    }

    @Test
    void shouldCutATextThatIsTooLongAtACharacter() throws IOException {
        final AgentCounters counters = AgentCounters.create(file);
        counters.text(AgentText.LAST_ERROR, "x" + "ß".repeat(1_000));
        assertEquals("x" + "ß".repeat((TextRecord.MAX_TEXT_BYTES - 1) / 2), counters.text(AgentText.LAST_ERROR));
    }

    @Test
    void shouldNeverShowATornText() throws Exception {
        final AgentCounters counters = AgentCounters.create(file);
        final AgentCountersReader reader = AgentCountersReader.open(file);
        final AtomicBoolean isDone = new AtomicBoolean();
        counters.text(AgentText.LAST_ERROR, "");
        final Thread writer = Thread.ofPlatform().start(() -> {
            for (int i = 0; !isDone.get(); i++) {
                counters.text(
                        AgentText.LAST_ERROR, Character.toString('a' + i % 26).repeat(100 + i % 800));
            }
        });
        try {
            for (int i = 0; i < 100_000; i++) {
                final long startNanos = System.nanoTime();
                final String text = reader.text(AgentText.LAST_ERROR);
                // A writer that was off its processor for longer counts as dead.
                assertTrue(
                        text.chars().distinct().count() <= 1 || System.nanoTime() - startNanos > DEAD_WRITER_NANOS,
                        text);
            }
        } finally {
            isDone.set(true);
            writer.join();
        }
    }

    @Test
    void shouldReadATextWhoseWriterDiedWritingIt() throws IOException {
        AgentCounters.create(file).text(AgentText.LAST_ERROR, "half");
        final long record = CountersFile.TEXTS_OFFSET + (long) AgentText.LAST_ERROR.id() * TextRecord.LENGTH_BYTES;
        write(record, intBytes(7));
        assertEquals("half", AgentCountersReader.open(file).text(AgentText.LAST_ERROR));
        write(record + 4, intBytes(Integer.MAX_VALUE));
        assertTrue(AgentCountersReader.open(file).text(AgentText.LAST_ERROR).startsWith("half"));
        write(record + 4, intBytes(-1));
        assertEquals("", AgentCountersReader.open(file).text(AgentText.LAST_ERROR));
    }

    @Test
    void shouldCountWithoutAllocating() throws IOException {
        final AgentCounters counters = AgentCounters.create(file);
        count(counters, 100_000);
        Garbage.assertBelow(10_000, "200,000 changes", () -> count(counters, 100_000));
    }

    private static void count(final AgentCounters counters, final int times) {
        for (int i = 0; i < times; i++) {
            counters.increment(AgentCounter.EPOCHS_TOTAL);
            counters.set(AgentCounter.DIRTY_PAGES_LAST, i);
        }
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() throws IOException {
        assertThrows(NoSuchFileException.class, () -> AgentCountersReader.open(file));

        AgentCounters.create(file);
        write(8, intBytes(CountersFile.VERSION + 1));
        assertRefused("version");
        write(8, intBytes(CountersFile.VERSION));
        AgentCountersReader.open(file);

        write(0, intBytes(0));
        assertRefused("does not begin");

        for (final int lengthBytes : new int[] {CountersFile.LENGTH_BYTES - 1, 4_096, 8, 0}) {
            AgentCounters.create(file);
            truncate(lengthBytes);
            assertRefused("has " + lengthBytes + " bytes");
        }
        Files.delete(file);
        Files.createDirectory(file);
        assertRefused("not a regular file");
    }

    @Test
    void shouldShowWhatAnOlderAgentDoesNotCountAsUnknown() throws IOException {
        AgentCounters.create(file).set(AgentCounter.HELD_FRAMES, 5);
        write(CountersFile.METADATA_OFFSET + AgentCounter.HELD_FRAMES.id() * 512L, intBytes(0));
        final AgentCountersReader reader = AgentCountersReader.open(file);
        assertFalse(reader.isKnown(AgentCounter.HELD_FRAMES));
        assertNull(reader.state());
    }

    private void assertRefused(final String problem) {
        final CountersFileException refusal =
                assertThrows(CountersFileException.class, () -> AgentCountersReader.open(file));
        assertTrue(refusal.getMessage().contains(problem), refusal::getMessage);
        assertTrue(refusal.getMessage().contains(file.toString()), refusal::getMessage);
    }

    private long longInFileAt(final long offset) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            final ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            assertEquals(Long.BYTES, channel.read(bytes, offset));
            return bytes.getLong(0);
        }
    }

    private void write(final long offset, final ByteBuffer bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(bytes, offset);
        }
    }

    private void truncate(final int lengthBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(lengthBytes);
        }
    }

    private static ByteBuffer intBytes(final int value) {
        return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(0, value);
    }
}
