package org.resilire.epoch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.resilire.guest.GuestMemory;
import org.resilire.synthetic.SharedMemoryDirectory;
import org.resilire.synthetic.SyntheticMemory;
import org.resilire.wire.Checksum;

class PageHasherTest {

    private static final int PAGES = 64;

    @TempDir(factory = SharedMemoryDirectory.class)
    Path directory;

    private SyntheticMemory guest;
    private PageHasher hasher;

    @BeforeEach
    void open() {
        guest = SyntheticMemory.ofGuest(directory.resolve("ram"), PAGES);
        hasher = new PageHasher(guest.memory());
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private long[] walk() {
        final long[] hashes = new long[PAGES];
        for (int page = 0; page < PAGES; page++) {
            hashes[page] = hasher.hash(page);
        }
        return hashes;
    }

    private void assertHashesOfEveryPage() {
        final long[] hashes = walk();
        for (int page = 0; page < PAGES; page++) {
            final long offset = (long) page * GuestMemory.PAGE_BYTES;
            final long expected = Checksum.hash(guest.bytes(), offset, GuestMemory.PAGE_BYTES);
            assertEquals(expected, hashes[page], "page " + page);
        }
    }

    @Test
    void shouldGiveNoMemoryToPagesThatHaveNone() {
        guest.fillPage(3, (byte) 1);
        guest.fillPage(4, (byte) 2);
        guest.fillPage(PAGES - 1, (byte) 3);
        final long[] hashes = walk();
        assertEquals(hashes[0], hashes[5]);
        assertNotEquals(hashes[3], hashes[4]);
        assertEquals(3, guest.memory().nextPopulatedPage(0));
        assertEquals(5, guest.memory().nextUnpopulatedPage(3));
        assertEquals(PAGES - 1, guest.memory().nextPopulatedPage(5));
    }

    @Test
    void shouldHashWhatGotMemoryBetweenTwoWalks() {
        final long zeros = walk()[7];
        guest.fillPage(7, (byte) 9);
        guest.fillPage(0, (byte) 9);
        assertNotEquals(zeros, walk()[7]);
        assertHashesOfEveryPage();
    }

    @Test
    void shouldHashWhatGotMemorySinceAWalkThatWasGivenUp() {
        hasher.hash(0);
        guest.fillPage(0, (byte) 1);
        guest.fillPage(1, (byte) 1);
        assertHashesOfEveryPage();
    }
}
