// Requests that take so much computation and nothing else: for measuring what is added to that.
#include "http.h"
#include "workload.h"

#include <stdio.h>
#include <time.h>

static int64_t work_nanos;

static int64_t now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

// By the guest's own clock, which stands while it is paused: a pause takes nothing off the work.
static int work(const char *path, char *body) {
    unsigned long number;
    if (sscanf(path, "/compute/%lu", &number) != 1) {
        return -1;
    }
    const int64_t end = now_nanos() + work_nanos;
    uint64_t random = number;
    while (now_nanos() < end) {
        next_random(&random);
    }
    return sprintf(body, "done %lu %lu\n", number, (unsigned long)(random >> 32));
}

const char *run_work(int port, int micros) {
    work_nanos = (int64_t)micros * 1000;
    return http_serve(port, work);
}
