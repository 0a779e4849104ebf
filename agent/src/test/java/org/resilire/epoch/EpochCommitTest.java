package org.resilire.epoch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.agrona.concurrent.NanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.codec.PageRecord;
import org.resilire.epoch.EpochMessages.Message;
import org.resilire.synthetic.SyntheticMemory;
import org.resilire.wire.sbe.EpochKind;

class EpochCommitTest {

    /** Every slice is over at once, after the least that it does. */
    private static final NanoClock STOPPED_CLOCK = () -> 0;

    /** More than two slices of a commit, and of a comparison. */
    private static final int PAGES = 2100;

    private static final int BATCH_PAGES = 150;

    @TempDir
    Path directory;

    private EpochAssembler assembler;
    private SyntheticMemory replica;
    private EpochCommit commit;

    @BeforeEach
    void open() {
        assembler = new EpochAssembler(PAGES);
        assembler.startSession(1);
        replica = SyntheticMemory.ofReplica(directory.resolve("replica"), PAGES);
        commit = new EpochCommit(replica.memory());
    }

    @AfterEach
    void close() {
        assembler.close();
        commit.close();
        replica.close();
    }

    @Test
    void shouldBeRestorableOnlyWhenACheckpointIsWhole() {
        assertFalse(commit.isRestorable());
        assertEquals(-1, commit.committedEpoch());
        stage(1, EpochKind.SYNCHRONISATION, (byte) 1);
        commitAll();
        assertFalse(commit.isRestorable(), "memory of no single instant");
        assertEquals(1, commit.committedEpoch());

        stage(2, EpochKind.CHECKPOINT, (byte) 2);
        commit.begin(assembler);
        int slices = 0;
        do {
            assertFalse(commit.isRestorable());
            assertEquals(1, commit.committedEpoch());
            assertTrue(commit.inProgress());
            slices++;
        } while (!commit.applySlice(STOPPED_CLOCK, 0));
        assertTrue(slices >= 3, "applied in " + slices + " slices");
        assertTrue(commit.isRestorable());
        assertEquals(2, commit.committedEpoch());
        assembler.next();

        stage(3, EpochKind.CHECKPOINT, (byte) 3);
        assertTrue(commit.isRestorable(), "what is staged does not concern the replica");
        commit.begin(assembler);
        assertFalse(commit.applySlice(STOPPED_CLOCK, 0));
        assertFalse(commit.isRestorable(), "half of one checkpoint and half of another");
        finish();
        assertTrue(commit.isRestorable());

        stage(4, EpochKind.SYNCHRONISATION, (byte) 4);
        commitAll();
        assertFalse(commit.isRestorable());
    }

    @Test
    void shouldLeaveACopyOfAnEpochAsItWasWhileTheNextIsApplied() throws IOException {
        stage(1, EpochKind.CHECKPOINT, (byte) 5);
        commitAll();
        final byte[] expected = replica.snapshot();
        final Path copy = directory.resolve("copy");
        try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw")) {
            file.setLength(expected.length);
            final ReplicaSnapshot snapshot = new ReplicaSnapshot(replica.memory(), file.getChannel());
            commit.snapshot(snapshot);
            stage(2, EpochKind.CHECKPOINT, (byte) 6);
            commit.begin(assembler);
            assertThrows(IllegalStateException.class, () -> commit.snapshot(null));
            finish();
            while (!snapshot.copySlice(STOPPED_CLOCK, 0)) {
                assertNull(snapshot.failure());
            }
        }
        assertArrayEquals(expected, Files.readAllBytes(copy));
        assertEquals(6, replica.snapshot()[0]);
    }

    @Test
    void shouldApplyAllOfAnEpochAndItsDeviceState() {
        stage(1, EpochKind.CHECKPOINT, (byte) 5);
        commitAll();
        for (final byte value : replica.snapshot()) {
            assertEquals(5, value);
        }
        assertEquals(3, commit.deviceStateBytes());
        assertArrayEquals(
                new byte[] {5, 5, 5}, commit.deviceState().asSlice(0, 3).toArray(ValueLayout.JAVA_BYTE));
        final MemorySegment kept = commit.deviceState();
        stage(2, EpochKind.CHECKPOINT, (byte) 6);
        assertEquals(5, kept.get(ValueLayout.JAVA_BYTE, 0), "the device state is that of the replica");
        commitAll();
        assertEquals(6, kept.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void shouldForgetEverythingOnReset() {
        stage(1, EpochKind.CHECKPOINT, (byte) 1);
        commit.begin(assembler);
        commit.applySlice(STOPPED_CLOCK, 0);
        commit.reset();
        assertFalse(commit.inProgress());
        assertFalse(commit.isRestorable());
        commit.begin(assembler);
        finish();
        commit.reset();
        assertFalse(commit.isRestorable());
        assertEquals(-1, commit.committedEpoch());
        assertEquals(0, commit.deviceStateBytes());
    }

    @Test
    void shouldNotBeginWithAPartialEpoch() {
        final List<Message> messages = epoch(1, EpochKind.CHECKPOINT, (byte) 1);
        for (final Message message : messages) {
            assertThrows(IllegalStateException.class, () -> commit.begin(assembler));
            message.sendTo(assembler);
        }
        commit.begin(assembler);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 300})
    void shouldFindExactlyTheDifferingPages(final int differing) {
        final Random random = new Random(differing);
        random.ints(20_000, 0, PAGES).forEach(page -> replica.scribble(random, page));
        final MemorySegment hashes = hashesOf(new PageHasher(replica.memory()));
        final TreeSet<Long> changed = new TreeSet<>();
        if (differing > 0) {
            changed.add(PAGES - 1L);
        }
        while (changed.size() < differing) {
            changed.add((long) random.nextInt(PAGES));
        }
        for (final long page : changed) {
            final long at = page * PageRecord.PAGE_BYTES + random.nextInt(PageRecord.PAGE_BYTES);
            final byte old = replica.bytes().get(ValueLayout.JAVA_BYTE, at);
            replica.bytes().set(ValueLayout.JAVA_BYTE, at, (byte) (old ^ 1 << random.nextInt(Byte.SIZE)));
        }
        final ReplicaVerification verification = new ReplicaVerification(new PageHasher(replica.memory()));
        verification.begin(77, hashes);
        int slices = 1;
        while (!verification.compareSlice(STOPPED_CLOCK, 0)) {
            assertTrue(verification.inProgress());
            slices++;
        }
        assertFalse(verification.inProgress());
        assertTrue(slices > 3, slices + " slices");
        assertEquals(77, verification.epoch());
        assertEquals(PAGES, verification.comparedPages());
        assertEquals(differing, verification.differingPages());
        final long[] named = new long[Math.min(differing, ReplicaVerification.NAMED_PAGES)];
        Arrays.setAll(named, verification::differingPage);
        assertArrayEquals(
                changed.stream()
                        .limit(ReplicaVerification.NAMED_PAGES)
                        .mapToLong(Long::longValue)
                        .toArray(),
                named);
    }

    private static MemorySegment hashesOf(final PageHasher hasher) {
        final MemorySegment hashes = MemorySegment.ofArray(new long[PAGES]);
        for (int page = 0; page < PAGES; page++) {
            hashes.set(
                    ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN),
                    (long) page * Long.BYTES,
                    hasher.hash(page));
        }
        return hashes;
    }

    private void stage(final long number, final EpochKind kind, final byte value) {
        epoch(number, kind, value).forEach(message -> message.sendTo(assembler));
    }

    /** All pages full of one value. */
    private static List<Message> epoch(final long number, final EpochKind kind, final byte value) {
        final EpochMessages messages = new EpochMessages(number, kind);
        final byte[] records = new byte[BATCH_PAGES * PageRecord.MAX_BYTES];
        Arrays.fill(records, value);
        for (int first = 0; first < PAGES; first += BATCH_PAGES) {
            for (int i = 0; i < BATCH_PAGES; i++) {
                PageRecord.putHeader(
                        MemorySegment.ofArray(records),
                        (long) i * PageRecord.MAX_BYTES,
                        first + i,
                        PageRecord.BLOCKS,
                        -1L);
            }
            messages.pages(BATCH_PAGES, records.clone());
        }
        if (kind == EpochKind.CHECKPOINT) {
            messages.deviceState(new byte[] {value, value, value});
        }
        return messages.end();
    }

    private void commitAll() {
        commit.begin(assembler);
        finish();
    }

    private void finish() {
        boolean done = false;
        while (!done) {
            done = commit.applySlice(STOPPED_CLOCK, 0);
        }
        assertFalse(commit.inProgress());
        assembler.next();
    }
}
