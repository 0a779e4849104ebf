// Two stand-ins for benchmarks that may not be passed on.
//
// Dynamic web, for SPECweb2005: a request belongs to a session (2 KiB of state that it changes in places), makes a page of about
// 8 KiB from a template and that state, and is written to a log in memory.
//
// File serving, for SPECsys (SPEC SFS): seven requests in ten read up to 16 KiB of a file, two write as much, one removes a file
// and makes it anew. 256 files of 64 KiB on a tmpfs.
#include "http.h"
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SESSIONS 4096
#define SESSION_BYTES 2048
#define SESSION_ITEMS 24
#define LOG_BYTES (4 << 20)
#define LOG_LINE_BYTES 128

#define FILES 256
#define FILE_BYTES (64 * 1024)
#define MAX_IO_BYTES (16 * 1024)
#define DIRECTORY "/dev/shm/files"

struct session {
    uint64_t requests;
    uint64_t random;
    uint64_t amounts[SESSION_ITEMS];
    char last_item[64];
};

static char (*sessions)[SESSION_BYTES];
static char *log_memory;
static uint64_t log_next;

static int dynamic_page(const char *path, char *body) {
    unsigned long number;
    if (sscanf(path, "/session/%lu", &number) != 1) {
        return -1;
    }
    struct session *session = (struct session *)sessions[number % SESSIONS];
    if (session->requests++ == 0) {
        session->random = number;
    }
    const uint64_t item = next_random(&session->random) % SESSION_ITEMS;
    session->amounts[item]++;
    snprintf(session->last_item, sizeof session->last_item, "item-%lu of session %lu", (unsigned long)item, number);
    int length = sprintf(body, "<html><head><title>Session %lu</title></head><body><h1>%s</h1><table>\n", number, session->last_item);
    for (int i = 0; i < SESSION_ITEMS; i++) {
        length += sprintf(
            body + length,
            "<tr class=\"item\"><td>%d</td><td><a href=\"/item/%d\">An article of which this shop has many, number %d</a></td>"
            "<td class=\"amount\">%lu</td><td>in stock, delivered within a few days if ordered before noon; returns are free for "
            "thirty days and the invoice comes by mail</td></tr>\n",
            i, i, i, (unsigned long)session->amounts[i]);
    }
    length += sprintf(body + length, "</table><p>request %lu</p></body></html>\n", (unsigned long)session->requests);
    char line[LOG_LINE_BYTES];
    memset(line, ' ', sizeof line);
    snprintf(line, sizeof line, "GET /session/%lu 200 %d request %lu", number, length, (unsigned long)session->requests);
    memcpy(log_memory + log_next++ % (LOG_BYTES / LOG_LINE_BYTES) * LOG_LINE_BYTES, line, sizeof line);
    return length;
}

const char *run_web(int port) {
    sessions = calloc(SESSIONS, SESSION_BYTES);
    log_memory = calloc(1, LOG_BYTES);
    return sessions == NULL || log_memory == NULL ? "no memory" : http_serve(port, dynamic_page);
}

static int open_file(uint64_t number, int flags) {
    char name[64];
    snprintf(name, sizeof name, DIRECTORY "/%03u", (unsigned)(number % FILES));
    return open(name, flags, 0644);
}

static int make_file(uint64_t number) {
    static char content[FILE_BYTES];
    uint64_t random = number;
    for (int i = 0; i + 8 <= FILE_BYTES; i += 8) {
        // As compressible as text.
        const uint64_t word = (next_random(&random) & 0x0f0f0f0f0f0f0f0fu) | 0x6060606060606060u;
        memcpy(content + i, &word, 8);
    }
    const int file = open_file(number, O_CREAT | O_TRUNC | O_WRONLY);
    if (file < 0 || write(file, content, FILE_BYTES) != FILE_BYTES) {
        return -1;
    }
    return close(file);
}

static int serve_file(const char *path, char *body) {
    unsigned long number;
    if (sscanf(path, "/file/%lu", &number) != 1) {
        return -1;
    }
    uint64_t random = number;
    const uint64_t kind = next_random(&random) % 10, file_number = next_random(&random);
    const uint64_t length = 512 + next_random(&random) % (MAX_IO_BYTES - 512);
    const uint64_t offset = next_random(&random) % (FILE_BYTES - length);
    if (kind == 9) {
        char name[64];
        snprintf(name, sizeof name, DIRECTORY "/%03u", (unsigned)(file_number % FILES));
        unlink(name);
        return make_file(file_number) == 0 ? sprintf(body, "made anew\n") : -1;
    }
    const int file = open_file(file_number, O_RDWR);
    if (file < 0) {
        return -1;
    }
    int answer;
    if (kind < 7) {
        answer = (int)pread(file, body, length, (off_t)offset);
    } else {
        for (uint64_t i = 0; i < length; i++) {
            body[i] = (char)('a' + (number + i) % 26);
        }
        answer = pwrite(file, body, length, (off_t)offset) == (ssize_t)length ? sprintf(body, "written\n") : -1;
    }
    close(file);
    return answer;
}

const char *run_files(int port) {
    if (mkdir(DIRECTORY, 0755) != 0 && errno != EEXIST) {
        return strerror(errno);
    }
    for (uint64_t i = 0; i < FILES; i++) {
        if (make_file(i) != 0) {
            return strerror(errno);
        }
    }
    return http_serve(port, serve_file);
}
