// What the workloads share. All of them run until they are killed.
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

#define PAGE 4096

// Found in the guest's memory by the test bed, which reads it from outside: a workload that had to answer over the network would
// be disturbed by being asked, and would answer as late as the replication lets it. At the start of a page, little-endian.
struct progress {
    char magic[16]; // "resilire-progres"
    uint64_t run; // as the test bed numbered it: pages of former runs hold other numbers
    uint64_t units; // of work done: pairs, pages, requests
    uint64_t verified; // how often a result was compared with the published one and was right
    uint64_t failed; // and was not
};

extern struct progress *const progress;

void publish_progress(uint64_t run);

static inline void count_units(uint64_t units) {
    __atomic_store_n(&progress->units, progress->units + units, __ATOMIC_RELAXED);
}

// SplitMix64: https://prng.di.unimi.it describes it. Seeded, so that every run writes the same.
static inline uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// Each returns an error message, or does not return.
const char *run_ep(const char *class);
const char *run_dirty(int count, char **arguments);
const char *run_web(int port);
const char *run_files(int port);
const char *run_work(int port, int micros);

#endif
