package org.resilire.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.linux.LinuxException;

@Timeout(60)
class TrialDiskTest {

    /** Not a whole number of blocks. */
    private static final int LENGTH_BYTES = (3 << 20) + 512;

    private static final int LONGEST_BYTES = 100_000;

    @TempDir
    Path directory;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(LENGTH_BYTES);
    private Path path;
    private DiskImage replica;
    private TrialDisk trial;

    private void open() throws IOException {
        path = TestImage.sparse(directory.resolve("replica"), LENGTH_BYTES, 3);
        open(() -> true);
    }

    private void open(final BooleanSupplier hasRoom) throws IOException {
        replica = DiskImage.open(path, false, WriteObserver.NONE);
        trial = TrialDisk.open(replica, directory.resolve("scratch"), hasRoom);
    }

    @AfterEach
    void close() {
        CloseHelper.closeAll(trial, replica);
        arena.close();
    }

    private byte[] seen(final int offset, final int lengthBytes) {
        trial.read(memory, offset, lengthBytes, offset);
        return memory.asSlice(offset, lengthBytes).toArray(ValueLayout.JAVA_BYTE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldStayAsItWasButForWhatTheTrialWritesAndKeepThatFromTheReplica(final long seed) throws IOException {
        open();
        final Random random = new Random(seed);
        final byte[] replicaNow = Files.readAllBytes(path);
        final byte[] trialNow = replicaNow.clone();
        for (int step = 0; step < 3_000; step++) {
            final int lengthBytes = 1 + random.nextInt(step % 50 == 0 ? 40 * TrialDisk.BLOCK_BYTES : LONGEST_BYTES / 4);
            final int offset = random.nextInt(LENGTH_BYTES - lengthBytes + 1);
            final byte[] data = new byte[lengthBytes];
            random.nextBytes(data);
            MemorySegment.copy(data, 0, memory, ValueLayout.JAVA_BYTE, 0, lengthBytes);
            switch (random.nextInt(7)) {
                case 0 -> {
                    trial.preserve(offset, lengthBytes);
                    replica.write(memory, 0, lengthBytes, offset, false);
                    System.arraycopy(data, 0, replicaNow, offset, lengthBytes);
                }
                case 1 -> {
                    trial.preserve(offset, lengthBytes);
                    replica.zero(offset, lengthBytes, step % 2 == 0, false);
                    Arrays.fill(replicaNow, offset, offset + lengthBytes, (byte) 0);
                }
                case 2 -> {
                    trial.write(memory, 0, lengthBytes, offset, false);
                    System.arraycopy(data, 0, trialNow, offset, lengthBytes);
                }
                case 3 -> {
                    trial.zero(offset, lengthBytes, step % 2 == 0, false);
                    Arrays.fill(trialNow, offset, offset + lengthBytes, (byte) 0);
                }
                case 4 -> {
                    trial.trim(offset, lengthBytes, false);
                    Arrays.fill(trialNow, offset, offset + lengthBytes, (byte) 0);
                }
                default ->
                    assertArrayEquals(
                            Arrays.copyOfRange(trialNow, offset, offset + lengthBytes), seen(offset, lengthBytes));
            }
        }
        assertArrayEquals(trialNow, seen(0, LENGTH_BYTES));
        assertArrayEquals(replicaNow, Files.readAllBytes(path));
        assertNull(trial.failure());
    }

    @Test
    void shouldNeverShowWhatALaterEpochHasWrittenWhileItWrites() throws Exception {
        open();
        final byte[] before = Files.readAllBytes(path);
        final AtomicReference<Throwable> failure = new AtomicReference<>();
        final AtomicBoolean isOver = new AtomicBoolean();
        final Thread applier = Thread.ofPlatform().start(() -> {
            try (Arena own = Arena.ofConfined()) {
                final MemorySegment data = own.allocate(TrialDisk.BLOCK_BYTES);
                data.fill((byte) 0xee);
                // Each block but once: what has diverged cannot go wrong any more.
                for (int at = 0; at + TrialDisk.BLOCK_BYTES <= LENGTH_BYTES; at += TrialDisk.BLOCK_BYTES) {
                    trial.preserve(at + 7, TrialDisk.BLOCK_BYTES - 7);
                    replica.write(data, 0, TrialDisk.BLOCK_BYTES - 7, at + 7, false);
                }
            } catch (final RuntimeException e) {
                failure.set(e);
            } finally {
                isOver.set(true);
            }
        });
        while (!isOver.get()) {
            assertArrayEquals(before, seen(0, LENGTH_BYTES));
        }
        applier.join();
        assertNull(failure.get());
        assertArrayEquals(before, seen(0, LENGTH_BYTES));
        assertEquals((byte) 0xee, Files.readAllBytes(path)[7]);
    }

    @Test
    void shouldEndTheTrialAndNothingElseWhenThereIsNoRoom() throws IOException {
        path = TestImage.sparse(directory.resolve("replica"), 64 << 20, 3);
        final AtomicBoolean hasRoom = new AtomicBoolean(true);
        open(hasRoom::get);
        trial.preserve(0, 1 << 20);
        assertNull(trial.failure());
        assertEquals(1 << 19, trial.scratchBytes(), "what is a hole takes no room");
        hasRoom.set(false);
        trial.preserve(0, 32 << 20);
        assertTrue(trial.failure().contains("ENOSPC"), trial.failure());
        assertThrows(LinuxException.class, () -> seen(0, 512));
        assertThrows(LinuxException.class, () -> trial.write(memory, 0, 512, 0, false));
        trial.preserve(0, 64 << 20);
    }

    @Test
    void shouldEndTheTrialRatherThanKeepAChangeWaitingThatIsVeryLong() throws IOException {
        path = TestImage.sparse(directory.resolve("replica"), 4 * TrialDisk.MAX_PRESERVED_BYTES, 3);
        open(() -> true);
        trial.preserve(0, TrialDisk.MAX_PRESERVED_BYTES);
        assertNull(trial.failure());
        trial.preserve(0, 4 * TrialDisk.MAX_PRESERVED_BYTES);
        assertTrue(trial.failure().contains("too much at once"), trial.failure());
    }

    @Test
    void shouldPreserveHolesOfAnyLengthAtOnceAndWithoutRoom() throws IOException {
        final long lengthBytes = 256L << 30;
        path = TestImage.empty(directory.resolve("replica"), lengthBytes);
        open(() -> false);
        final long at = lengthBytes / 2 + 512;
        trial.preserve(0, at);
        trial.preserve(at, lengthBytes - at);
        memory.fill((byte) 1);
        trial.read(memory, 0, LONGEST_BYTES, at);
        assertEquals(-1, memory.asSlice(0, LONGEST_BYTES).mismatch(arena.allocate(LONGEST_BYTES)));
        assertNull(trial.failure());
        assertEquals(0, trial.scratchBytes());
    }

    @Test
    void shouldLeaveNoFileBehind() throws IOException {
        open();
        assertFalse(Files.exists(directory.resolve("scratch")));
        trial.write(memory, 0, 4096, 0, true);
        trial.close();
        trial.preserve(0, 4096);
        try (var files = Files.list(directory)) {
            assertEquals(1, files.count());
        }
    }
}
