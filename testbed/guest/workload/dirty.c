#include "dirty.h"
#include "workload.h"

#include <string.h>

// A page's content by its number alone, a quarter of the words each: zero, small, like a pointer, any.
static uint64_t word_of_a_program(uint64_t random) {
    switch (random >> 62) {
    case 0:
        return 0;
    case 1:
        return random & 0xff;
    case 2:
        return 0x00007f0000000000u | (random & 0xffffff0u);
    default:
        return random;
    }
}

void dirty_fill(const struct dirty *dirty) {
    uint64_t random = 1;
    uint64_t *words = (uint64_t *)(dirty->memory + dirty->first_page * PAGE);
    for (uint64_t i = 0; i < dirty->pages * PAGE / sizeof *words; i++) {
        words[i] = word_of_a_program(next_random(&random));
    }
}

void dirty_page(struct dirty *dirty) {
    const int is_random = dirty->pattern == DIRTY_RANDOM;
    const uint64_t page = dirty->first_page + (is_random ? next_random(&dirty->random) : dirty->next++) % dirty->pages;
    unsigned char *bytes = dirty->memory + page * PAGE;
    // The same place in a page each time, elsewhere in each page, in whole cache lines as far as it goes.
    const uint64_t lines = (PAGE - dirty->bytes) / 64 + 1;
    bytes += page * 7 % lines * 64;
    uint64_t left = dirty->bytes;
    for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        word = is_random ? next_random(&dirty->random) : word + 1;
        memcpy(bytes, &word, sizeof word);
    }
    for (; left > 0; left--, bytes++) {
        *bytes = is_random ? (unsigned char)next_random(&dirty->random) : (unsigned char)(*bytes + 1);
    }
}

const char *dirty_check(const struct dirty *dirty) {
    if (dirty->pages == 0) {
        return "no pages to write";
    }
    if (dirty->bytes == 0 || dirty->bytes > PAGE) {
        return "bytes changed in a page must be 1 to 4096";
    }
    return 0;
}

int dirty_pattern_named(const char *name) {
    return strcmp(name, "sequential") == 0 ? DIRTY_SEQUENTIAL : strcmp(name, "random") == 0 ? DIRTY_RANDOM : -1;
}
