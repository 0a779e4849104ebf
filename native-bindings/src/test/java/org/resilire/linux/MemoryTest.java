package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mapped files, anonymous memory, memory files, descriptors and maps. */
class MemoryTest {
    private static final long THREE_GIB = 3L << 30;

    @TempDir
    Path directory;

    @Test
    void shouldMapMoreThanTwoGibibytes() throws Exception {
        Path path = directory.resolve("ram");
        try (MappedFile created = MappedFile.create(path, THREE_GIB);
                MappedFile other = MappedFile.mapReadOnly(path)) {
            assertEquals(THREE_GIB, other.lengthBytes());
            created.segment().set(JAVA_LONG, THREE_GIB - 8, 42);
            assertEquals(42, other.segment().get(JAVA_LONG, THREE_GIB - 8));
            assertThrows(IllegalArgumentException.class, () -> other.segment().set(JAVA_LONG, 0, 1));
            created.zero();
            assertEquals(0, other.segment().get(JAVA_LONG, THREE_GIB - 8));
            assertEquals(THREE_GIB, Files.size(path));
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
        }
    }

    @Test
    void shouldSayWhatCouldNotBeMapped() throws Exception {
        Path path = directory.resolve("ram");
        MappedFile created = MappedFile.create(path, 4096);
        created.close();
        created.close();
        assertThrows(IllegalStateException.class, () -> created.segment().get(JAVA_BYTE, 0));
        LinuxException exists = assertThrows(LinuxException.class, () -> MappedFile.create(path, 4096));
        assertEquals("open of " + path + " failed: EEXIST (File exists)", exists.getMessage());
        assertEquals("open", exists.call());
        assertEquals(path.toString(), exists.object());
        assertThrows(IllegalArgumentException.class, () -> MappedFile.create(directory.resolve("empty"), 0));
        assertFalse(Files.exists(directory.resolve("empty")));
        LinuxException none =
                assertThrows(LinuxException.class, () -> MappedFile.mapReadWrite(directory.resolve("none")));
        assertEquals(Errno.ENOENT, none.errno());
        LinuxException folder = assertThrows(LinuxException.class, () -> MappedFile.mapReadWrite(directory));
        assertEquals(Errno.EISDIR, folder.errno());
    }

    @Test
    void shouldKeepErrnoOfThreadsApart() throws Exception {
        AtomicReference<Throwable> wrong = new AtomicReference<>();
        Thread[] threads = new Thread[4];
        for (int t = 0; t < threads.length; t++) {
            boolean bad = t % 2 == 0;
            threads[t] = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 50_000; i++) {
                    int expected = bad ? Errno.EBADF.number() : Errno.EINVAL.number();
                    int result = bad ? Unistd.close(-1) : Unistd.ftruncate(0, -1);
                    if (result != -expected) {
                        wrong.set(new AssertionError(result + " instead of " + -expected));
                    }
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(null, wrong.get());
    }

    @Test
    void shouldReserveAndDiscard() {
        try (AnonymousMemory memory = AnonymousMemory.reserve("a test", 64L << 30)) {
            memory.segment().set(JAVA_LONG, 32L << 30, 7);
            memory.segment().set(JAVA_LONG, (32L << 30) + 4096, 8);
            memory.discard(32L << 30, 4096);
            assertEquals(0, memory.segment().get(JAVA_LONG, 32L << 30));
            assertEquals(8, memory.segment().get(JAVA_LONG, (32L << 30) + 4096));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.discard(64L << 30, 4096));
            LinuxException crooked = assertThrows(LinuxException.class, () -> memory.discard(1, 4096));
            assertEquals("madvise of a test failed: EINVAL (Invalid argument)", crooked.getMessage());
        }
    }

    @Test
    void shouldAlignHugeMemory() {
        long address;
        try (AnonymousMemory memory = AnonymousMemory.reserveHuge("a test", (5L << 20) + 1)) {
            address = memory.segment().address();
            assertEquals(0, address % (2L << 20));
            assertEquals((5L << 20) + 1, memory.lengthBytes());
            memory.segment().set(JAVA_BYTE, 5L << 20, (byte) 1);
            MemoryMaps.Mapping mapping = mappingAt(address);
            assertEquals(address, mapping.start());
            assertEquals((5L << 20) + 4096, mapping.lengthBytes());
            assertTrue(mapping.isWritable() && !mapping.isShared());
        }
        MemoryMaps.Mapping left = mappingAt(address);
        // Another thread of this JVM may have got memory at the same place.
        assertTrue(left == null || left.start() != address || left.lengthBytes() != (5L << 20) + 4096);
    }

    @Test
    void shouldShareAMemoryFile() {
        MemoryFile file = MemoryFile.create("test", 8192);
        try (MappedFile one = file.map();
                MappedFile two = file.map()) {
            file.close();
            one.segment().set(JAVA_LONG, 8000, 5);
            assertEquals(5, two.segment().get(JAVA_LONG, 8000));
            MemoryMaps.Mapping mapping = mappingAt(two.segment().address());
            assertTrue(mapping.isShared());
            assertEquals("/memfd:test (deleted)", mapping.path());
        }
    }

    @Test
    void shouldParseMaps() {
        MemoryMaps.Mapping mapping = MemoryMaps.parse(
                "7f5c00000000-7f5c20000000 rw-s 00001000 00:1a 1234                       /dev/shm/a name.ram");
        assertEquals(0x7f5c_0000_0000L, mapping.start());
        assertEquals(512L << 20, mapping.lengthBytes());
        assertEquals(4096, mapping.fileOffset());
        assertEquals(1234, mapping.inode());
        assertEquals("00:1a", mapping.device());
        assertEquals("/dev/shm/a name.ram", mapping.path());
        assertEquals(
                "",
                MemoryMaps.parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 ")
                        .path());
        LinuxException gone = assertThrows(LinuxException.class, () -> MemoryMaps.of(4_194_305));
        assertEquals(Errno.ESRCH, gone.errno());
    }

    @Test
    void shouldCloseADescriptorOnce() {
        FileDescriptor first = FileDescriptor.open(Path.of("/dev/null"), Fcntl.O_RDONLY);
        int number = first.number();
        assertEquals(Fcntl.FD_CLOEXEC, Fcntl.fcntl(number, Fcntl.F_GETFD, 0));
        first.close();
        first.close();
        assertFalse(first.isOpen());
        IllegalStateException closed = assertThrows(IllegalStateException.class, first::number);
        assertEquals("the file descriptor of /dev/null is closed", closed.getMessage());
    }

    private static MemoryMaps.Mapping mappingAt(long address) {
        return MemoryMaps.of(ProcessHandle.current().pid()).stream()
                .filter(mapping -> mapping.start() <= address && address < mapping.end())
                .findFirst()
                .orElse(null);
    }
}
