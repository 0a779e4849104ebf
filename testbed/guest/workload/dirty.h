// A writer of pages: how much of each, how much in all, and whether what it writes is like what was there.
#ifndef DIRTY_H
#define DIRTY_H

#include <stdint.h>

enum dirty_pattern {
    // Page after page, a few numbers in each counted up: what most programs do to most pages.
    DIRTY_SEQUENTIAL,
    // Pages at random, overwritten with random bytes: nothing can be compressed, nothing is shared.
    DIRTY_RANDOM,
};

struct dirty {
    unsigned char *memory;
    uint64_t first_page; // of the pages written
    uint64_t pages;
    uint64_t bytes; // changed in a page
    enum dirty_pattern pattern;
    uint64_t random;
    uint64_t next;
};

// Fills the pages with what programs have in memory: small numbers, pointers, text, zeroes. Seeded.
void dirty_fill(const struct dirty *dirty);

// Writes one page.
void dirty_page(struct dirty *dirty);

// An error message, or null.
const char *dirty_check(const struct dirty *dirty);

// -1 if there is no such pattern.
int dirty_pattern_named(const char *name);

#endif
