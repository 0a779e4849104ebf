package org.resilire.primary;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.PageRuns;

class PageToWithholdTest {

    private static final int PAGES = 16;
    private static final int LOOKS = 100;

    private final MemorySegment memory = MemorySegment.ofArray(new byte[PAGES * GuestMemory.PAGE_BYTES]);
    private final PageToWithhold toWithhold = new PageToWithhold(memory);
    private final PageRuns dirty = new PageRuns(PAGES);

    private void write(final long page, final long value) {
        memory.set(ValueLayout.JAVA_LONG_UNALIGNED, page * GuestMemory.PAGE_BYTES + 8, value);
        dirty.add(page, 1);
    }

    private long look() {
        final long page = toWithhold.find(dirty);
        dirty.clear();
        return page;
    }

    @Test
    void shouldFindThePageThatChangesAlwaysAmongThoseThatAreOnlyWritten() {
        long found = PageToWithhold.NONE;
        for (int i = 0; i < LOOKS; i++) {
            write(2, 7);
            write(3, 7);
            if (i % 3 > 0) {
                write(5, i);
            }
            write(9, i);
            write(12, 7);
            found = look();
        }
        assertEquals(9, found);
    }

    @Test
    void shouldFindNoneWhereEveryPageGetsBackWhatItHeld() {
        for (int i = 0; i < LOOKS; i++) {
            write(2, 7);
            write(4, i / 2);
            assertEquals(PageToWithhold.NONE, look());
        }
    }

    @Test
    void shouldStayWithThePageItFound() {
        long found = PageToWithhold.NONE;
        for (int i = 0; i < LOOKS && found < 0; i++) {
            write(9, i);
            found = look();
        }
        assertEquals(9, found);
        write(3, 1);
        assertEquals(9, look());
        assertEquals(9, look());
    }
}
