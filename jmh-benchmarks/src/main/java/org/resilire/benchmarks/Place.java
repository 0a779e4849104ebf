package org.resilire.benchmarks;

/** Where the pages of a benchmark lie. */
public enum Place {
    /** 64 pages: a core's own cache holds them, their shadow and what is written. */
    CACHE(64),

    /** 32,768 pages, 128 MiB of each memory that takes part, in random order: no cache holds them. */
    DRAM(32_768);

    private final int pages;

    Place(final int pages) {
        this.pages = pages;
    }

    /** Pages of each memory; a multiple of {@link PageOrder#BATCH_PAGES}. */
    public int pages() {
        return pages;
    }
}
