package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockFileTest {
    private static final int LENGTH_BYTES = 1 << 20;
    private static final int PIECE_BYTES = 64 << 10;

    @TempDir
    Path directory;

    private Path path;

    @BeforeEach
    void makeFile() throws IOException {
        path = directory.resolve("image");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(LENGTH_BYTES);
        }
    }

    @Test
    void shouldReadBackWhatWasWrittenByEitherWay() {
        try (BlockFile file = BlockFile.open(path, true);
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(2 * PIECE_BYTES);
            memory.asSlice(0, PIECE_BYTES).fill((byte) 7);
            file.write(memory, 0, PIECE_BYTES, 4096);
            file.writeThrough(memory, 0, PIECE_BYTES, 4096 + PIECE_BYTES);
            file.sync();
            file.read(memory, PIECE_BYTES, PIECE_BYTES, 4096 + PIECE_BYTES);
            assertEquals(7, memory.get(JAVA_BYTE, 2 * PIECE_BYTES - 1));
            memory.fill((byte) 0);
            if (file.readCached(memory, 0, 2L * PIECE_BYTES, 4096)) {
                assertEquals(-1, memory.mismatch(arena.allocate(2 * PIECE_BYTES).fill((byte) 7)));
            }
        }
    }

    @Test
    void shouldTellHolesFromDataAndPunchThem() {
        try (BlockFile file = BlockFile.open(path, true);
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(PIECE_BYTES).fill((byte) 7);
            file.write(memory, 0, PIECE_BYTES, PIECE_BYTES);
            assertEquals(PIECE_BYTES, file.nextData(0));
            assertEquals(0, file.nextHole(0));
            assertEquals(2 * PIECE_BYTES, file.nextHole(PIECE_BYTES));
            assertEquals(LENGTH_BYTES, file.nextData(2 * PIECE_BYTES));
            assertTrue(file.punchHole(PIECE_BYTES, PIECE_BYTES), "this test needs a file system with holes");
            assertEquals(LENGTH_BYTES, file.nextData(0));
            file.read(memory, 0, PIECE_BYTES, PIECE_BYTES);
            assertEquals(0, memory.get(JAVA_BYTE, 0));
        }
    }

    @Test
    void shouldSeeLocksOfOthersButNotItsOwn() {
        try (BlockFile other = BlockFile.open(path, false)) {
            try (BlockFile one = BlockFile.open(path, true)) {
                assertTrue(one.lockByte(101));
                assertFalse(one.isByteLockedByOthers(101));
                assertTrue(other.isByteLockedByOthers(101));
                assertFalse(other.isByteLockedByOthers(100));
                assertTrue(other.lockByte(101));
            }
            assertFalse(other.isByteLockedByOthers(101));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldReserveRoomBehindTheEndAndChangeNothing(boolean isAsked) throws IOException, InterruptedException {
        long wantedBytes = LENGTH_BYTES + 3 * PIECE_BYTES / 2;
        try (BlockFile file = BlockFile.open(path, true);
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(PIECE_BYTES).fill((byte) 7);
            file.write(memory, 0, PIECE_BYTES, PIECE_BYTES / 2);
            assertTrue(roomBytes() < LENGTH_BYTES);
            if (isAsked) {
                file.reserve(0, wantedBytes);
            } else {
                file.rewrite(0, wantedBytes);
                file.sync();
            }
            assertEquals(wantedBytes, file.currentLengthBytes());
            assertTrue(roomBytes() >= wantedBytes);
            byte[] expected = new byte[(int) wantedBytes];
            Arrays.fill(expected, PIECE_BYTES / 2, PIECE_BYTES / 2 + PIECE_BYTES, (byte) 7);
            assertArrayEquals(expected, Files.readAllBytes(path));
        }
    }

    private long roomBytes() throws IOException, InterruptedException {
        Process stat = new ProcessBuilder("stat", "-c", "%b", path.toString()).start();
        String blocks = new String(stat.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, stat.waitFor());
        return Long.parseLong(blocks.strip()) * 512;
    }

    @Test
    void shouldFailRatherThanReadLessWhereTheFileEnds() throws IOException {
        try (BlockFile file = BlockFile.open(path, false);
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(PIECE_BYTES);
            try (RandomAccessFile shrinking = new RandomAccessFile(path.toFile(), "rw")) {
                shrinking.setLength(PIECE_BYTES / 2);
            }
            LinuxException failure = assertThrows(LinuxException.class, () -> file.read(memory, 0, PIECE_BYTES, 0));
            assertEquals(Errno.EIO, failure.errno());
            assertThrows(LinuxException.class, () -> file.write(memory, 0, PIECE_BYTES, 0));
        }
        Files.delete(path);
        assertEquals(
                Errno.ENOENT,
                assertThrows(LinuxException.class, () -> BlockFile.open(path, false))
                        .errno());
    }
}
