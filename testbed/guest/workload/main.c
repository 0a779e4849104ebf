// The guest's side of the test bed: starts and stops workloads by lines over TCP, one a connection, one workload at a time.
//
//   run NUMBER ep CLASS                                 NUMBER is found in the progress page (workload.h)
//   run NUMBER dirty PAGES/S BYTES PATTERN PAGES        PAGES/S 0: as fast as it goes
//   run NUMBER web PORT
//   run NUMBER files PORT
//   run NUMBER work PORT MICROS                         answers GET /compute/N after so much computation
//   stop
//
// Answers "ok" or "error: …". Sleeps while nothing happens: an idle guest stays idle.
#include "dirty.h"
#include "workload.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS 8
#define LINE_BYTES 256
#define NANOS 1000000000
#define TICK_NANOS 1000000
#define MAX_LAG_NANOS 20000000

static _Alignas(PAGE) union {
    struct progress progress;
    char page[PAGE];
} progress_page;

struct progress *const progress = &progress_page.progress;

static pid_t workload;

void publish_progress(uint64_t run) {
    progress->run = run;
    memcpy(progress->magic, "resilire-", 9);
    // In two steps: the whole word is nowhere in the program, so that it is found only where it is meant.
    memcpy(progress->magic + 9, "progres", 7);
}

static int64_t now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)NANOS + now.tv_nsec;
}

static void sleep_until(int64_t nanos) {
    const struct timespec time = {.tv_sec = nanos / NANOS, .tv_nsec = nanos % NANOS};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

const char *run_dirty(int count, char **arguments) {
    if (count != 4) {
        return "dirty takes PAGES/S BYTES PATTERN PAGES";
    }
    const uint64_t rate = strtoull(arguments[0], NULL, 10);
    const int pattern = dirty_pattern_named(arguments[2]);
    if (pattern < 0) {
        return "no such pattern: give sequential or random";
    }
    struct dirty dirty = {
        .pages = strtoull(arguments[3], NULL, 10),
        .bytes = strtoull(arguments[1], NULL, 10),
        .pattern = pattern,
    };
    const char *error = dirty_check(&dirty);
    if (error != NULL) {
        return error;
    }
    dirty.memory = mmap(NULL, dirty.pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dirty.memory == MAP_FAILED) {
        return strerror(errno);
    }
    dirty_fill(&dirty);
    // The guest's clock stands while it is paused, so that no pause is made up for by a burst.
    int64_t next = now_nanos();
    for (uint64_t credit = 0;;) {
        credit += rate * TICK_NANOS;
        uint64_t pages = rate == 0 ? 64 : credit / NANOS;
        credit -= rate == 0 ? 0 : pages * NANOS;
        for (uint64_t i = 0; i < pages; i++) {
            dirty_page(&dirty);
        }
        count_units(pages);
        if (rate != 0) {
            next += TICK_NANOS;
            const int64_t now = now_nanos();
            if (now - next > MAX_LAG_NANOS) {
                next = now;
            }
            sleep_until(next);
        }
    }
}

static const char *run(int count, char **words) {
    if (count >= 2 && strcmp(words[0], "ep") == 0) {
        return run_ep(words[1]);
    }
    if (count >= 2 && strcmp(words[0], "dirty") == 0) {
        return run_dirty(count - 1, words + 1);
    }
    if (count >= 2 && strcmp(words[0], "web") == 0) {
        return run_web(atoi(words[1]));
    }
    if (count >= 2 && strcmp(words[0], "files") == 0) {
        return run_files(atoi(words[1]));
    }
    if (count >= 3 && strcmp(words[0], "work") == 0) {
        return run_work(atoi(words[1]), atoi(words[2]));
    }
    return "no such workload: give ep, dirty, web, files or work";
}

static void stop(void) {
    if (workload > 0) {
        kill(workload, SIGKILL);
        waitpid(workload, NULL, 0);
        workload = 0;
    }
}

// The workload says what is wrong with it, or is still there a moment later.
static void start(int client, int count, char **words) {
    stop();
    fflush(NULL);
    workload = fork();
    if (workload == 0) {
        publish_progress(strtoull(words[0], NULL, 10));
        const char *error = run(count - 1, words + 1);
        dprintf(client, "error: %s\n", error);
        _exit(1);
    }
    usleep(100000);
    if (waitpid(workload, NULL, WNOHANG) == 0) {
        dprintf(client, "ok\n");
    } else {
        workload = 0;
    }
}

static void obey(int client) {
    char line[LINE_BYTES], *words[WORDS];
    int length = 0, count = 0;
    while (length < LINE_BYTES - 1 && memchr(line, '\n', length) == NULL) {
        const ssize_t received = read(client, line + length, LINE_BYTES - 1 - length);
        if (received <= 0) {
            return;
        }
        length += received;
    }
    line[length] = 0;
    for (char *word = strtok(line, " \r\n"); word != NULL && count < WORDS; word = strtok(NULL, " \r\n")) {
        words[count++] = word;
    }
    if (count == 1 && strcmp(words[0], "stop") == 0) {
        stop();
        dprintf(client, "ok\n");
    } else if (count >= 3 && strcmp(words[0], "run") == 0) {
        start(client, count - 1, words + 1);
    } else {
        dprintf(client, "error: say 'run NUMBER WORKLOAD …' or 'stop'\n");
    }
}

int main(int argc, char **argv) {
    const int port = argc == 2 ? atoi(argv[1]) : 0;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    if (port == 0 || bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 8) != 0) {
        perror("workload");
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        const int client = accept4(server, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0) {
            obey(client);
            // The workload has inherited it: closing alone would not end the connection.
            shutdown(client, SHUT_RDWR);
            close(client);
        }
    }
}
