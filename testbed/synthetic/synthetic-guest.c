// A synthetic guest: no machine, but a process that writes to shared memory by a seeded pattern and can be paused, and that answers
// what the agent asks a QEMU. So the whole agent replicates it as it would a real guest, at rates and sizes that an emulated guest
// cannot reach. Whatever is measured with it must be called synthetic: its device state costs nearly nothing to save, and it runs at
// the processor's own speed.
//
//   synthetic-guest -object memory-backend-file,…,size=512M,mem-path=PATH,… -qmp unix:PATH,… [-qmp …] [-S] [-incoming defer]
//                   [-synthetic fill=PAGES]
//
// Other options of QEMU are ignored. fill: so many pages hold data from the start, the others zeroes. It writes when told over QMP:
//
//   {"execute": "synthetic-write", "arguments": {"rate": PAGES/S, "bytes": N, "pattern": "sequential"|"random", "pages": N}}
//   rate 0: none
#include "../guest/workload/dirty.h"
#include "../guest/workload/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_SOCKETS 4
#define MAX_CLIENTS 8
#define LINE_BYTES 4096
#define REPLY_BYTES 2048
#define NANOS 1000000000
#define TICK_NANOS 1000000
#define DEVICE_STATE_BYTES (80 * 1024) // as much as QEMU's
#define DEVICE_STATE_STEP 8192 // a few numbers of it change from save to save

struct client {
    int socket;
    int length;
    char line[LINE_BYTES];
};

static struct {
    uint64_t bytes;
    char path[512];
    int sockets[MAX_SOCKETS];
    int socket_count;
    int is_waiting; // a standby: never runs
    uint64_t fill_pages;
} options;

static struct client clients[MAX_CLIENTS];
static unsigned char *memory;
static unsigned char device_state[DEVICE_STATE_BYTES];

// Shared with the writer, under the lock; is_stopping also without, as a hint between two pages.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_stopping;
static int is_parked;
static struct dirty dirty;
static uint64_t rate;
static pid_t writer_thread;

static int64_t now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)NANOS + now.tv_nsec;
}

static void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fprintf(stderr, "synthetic-guest: ");
    vfprintf(stderr, format, values);
    fprintf(stderr, "\n");
    va_end(values);
    exit(1);
}

// ---------------------------------------------------------------- the writer

static void park(void) {
    pthread_mutex_lock(&lock);
    is_parked = 1;
    pthread_cond_broadcast(&changed);
    while (is_stopping) {
        pthread_cond_wait(&changed, &lock);
    }
    is_parked = 0;
    pthread_mutex_unlock(&lock);
}

static int should_stop(void) {
    return __atomic_load_n(&is_stopping, __ATOMIC_ACQUIRE);
}

// Its clock stands while it is parked, like a guest's.
static void *write_pages(void *unused) {
    writer_thread = (pid_t)syscall(SYS_gettid);
    int64_t last = now_nanos();
    for (uint64_t credit = 0;;) {
        if (should_stop()) {
            park();
            last = now_nanos();
        }
        const int64_t now = now_nanos();
        credit += rate * (uint64_t)(now - last);
        last = now;
        for (; credit >= NANOS && !should_stop(); credit -= NANOS) {
            dirty_page(&dirty);
        }
        if (!should_stop()) {
            const struct timespec tick = {.tv_nsec = TICK_NANOS};
            nanosleep(&tick, NULL);
        }
    }
    return unused;
}

static void stop_writer(void) {
    pthread_mutex_lock(&lock);
    __atomic_store_n(&is_stopping, 1, __ATOMIC_RELEASE);
    // Out of its sleep between two ticks, which is not running.
    syscall(SYS_tgkill, getpid(), writer_thread, SIGUSR1);
    while (!is_parked) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void start_writer(void) {
    pthread_mutex_lock(&lock);
    __atomic_store_n(&is_stopping, 0, __ATOMIC_RELEASE);
    // Told to stop again before it has woken, it is parked still, and says so.
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void interrupt_sleep(int signal) {
    (void)signal;
}

// ---------------------------------------------------------------- QMP

static void say(struct client *client, const char *format, ...) {
    char reply[REPLY_BYTES];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(reply, sizeof reply - 2, format, values);
    va_end(values);
    reply[length++] = '\r';
    reply[length++] = '\n';
    for (int sent = 0; sent < length;) {
        const ssize_t count = send(client->socket, reply + sent, length - sent, MSG_NOSIGNAL);
        if (count <= 0) {
            return;
        }
        sent += count;
    }
}

static void say_to_all(const char *event) {
    for (int i = 0; i < MAX_CLIENTS; i++) {
        if (clients[i].socket >= 0) {
            say(&clients[i], "{\"timestamp\": {\"seconds\": 0, \"microseconds\": 0}, \"event\": \"%s\"}", event);
        }
    }
}

// The value of a key, wherever it is; the agent's and the test bed's messages have each once.
static const char *value_of(const char *line, const char *key) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *found = strstr(line, quoted);
    if (found == NULL) {
        return NULL;
    }
    found += strlen(quoted);
    return found + strspn(found, " :");
}

static const char *text_of(const char *line, const char *key, char *text, size_t size) {
    const char *value = value_of(line, key);
    text[0] = 0;
    if (value != NULL && *value == '"') {
        const char *end = strchr(value + 1, '"');
        if (end != NULL && (size_t)(end - value) <= size) {
            memcpy(text, value + 1, end - value - 1);
            text[end - value - 1] = 0;
        }
    }
    return text;
}

static uint64_t number_of(const char *line, const char *key) {
    const char *value = value_of(line, key);
    return value == NULL ? 0 : strtoull(value, NULL, 10);
}

static int save_device_state(const char *path) {
    static uint64_t saves;
    saves++;
    for (int i = 0; i < DEVICE_STATE_BYTES; i += DEVICE_STATE_STEP) {
        memcpy(device_state + i, &saves, sizeof saves);
    }
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const int is_written = file >= 0 && write(file, device_state, DEVICE_STATE_BYTES) == DEVICE_STATE_BYTES;
    return close(file) == 0 && is_written;
}

static const char *start_writing(const char *line) {
    char name[32];
    struct dirty wanted = {.memory = memory, .first_page = 1, .pages = number_of(line, "pages"), .bytes = number_of(line, "bytes")};
    const int pattern = dirty_pattern_named(text_of(line, "pattern", name, sizeof name));
    wanted.pattern = pattern;
    if (pattern < 0 || dirty_check(&wanted) != NULL || wanted.pages >= options.bytes / PAGE) {
        return "no such pattern, or bytes or pages out of range";
    }
    const int was_running = !is_stopping;
    if (was_running) {
        stop_writer();
    }
    dirty = wanted;
    rate = number_of(line, "rate");
    if (was_running) {
        start_writer();
    }
    return NULL;
}

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fail("the path %s is too long for a socket", path);
    }
    strcpy(address.sun_path, path);
    unlink(path);
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 4) != 0) {
        fail("cannot listen at %s: %s", path, strerror(errno));
    }
    return server;
}

static void answer_monitor(struct client *client, const char *line) {
    if (strstr(line, "info ramblock") != NULL) {
        say(client,
            "{\"return\": \"Block Name PSize Offset Used Total\\r\\n ram0 4 KiB 0x0000000000000000 0x%016llx 0x%016llx\\r\\n\"}",
            (unsigned long long)options.bytes, (unsigned long long)options.bytes);
    } else {
        say(client, "{\"return\": \"\"}");
    }
}

static void obey(struct client *client, const char *line) {
    static const char version[] = "{\"qemu\": {\"major\": 0, \"minor\": 0, \"micro\": 0}, \"package\": \"synthetic\"}";
    char command[64], path[512];
    text_of(line, "execute", command, sizeof command);
    const char *const nothing = "{\"return\": {}}";
    if (strcmp(command, "stop") == 0) {
        if (!is_stopping) {
            stop_writer();
            say_to_all("STOP");
        }
        say(client, nothing);
    } else if (strcmp(command, "cont") == 0) {
        if (is_stopping) {
            start_writer();
            say_to_all("RESUME");
        }
        say(client, nothing);
    } else if (strcmp(command, "xen-save-devices-state") == 0) {
        if (save_device_state(text_of(line, "filename", path, sizeof path))) {
            say(client, nothing);
        } else {
            say(client, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"cannot write %s\"}}", path);
        }
    } else if (strcmp(command, "synthetic-write") == 0) {
        const char *error = start_writing(line);
        if (error == NULL) {
            say(client, nothing);
        } else {
            say(client, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"%s\"}}", error);
        }
    } else if (strcmp(command, "query-status") == 0) {
        say(client, "{\"return\": {\"status\": \"%s\", \"singlestep\": false, \"running\": %s}}",
            options.is_waiting ? "inmigrate" : is_stopping ? "paused" : "running", is_stopping ? "false" : "true");
    } else if (strcmp(command, "query-cpus-fast") == 0) {
        say(client, "{\"return\": [{\"thread-id\": %d, \"qom-path\": \"/synthetic\", \"cpu-index\": 0}]}", (int)getpid());
    } else if (strcmp(command, "query-memory-size-summary") == 0) {
        say(client, "{\"return\": {\"base-memory\": %llu, \"plugged-memory\": 0}}", (unsigned long long)options.bytes);
    } else if (strcmp(command, "query-memdev") == 0) {
        say(client, "{\"return\": [{\"id\": \"ram0\"}]}");
    } else if (strcmp(command, "query-version") == 0) {
        say(client, "{\"return\": %s}", version);
    } else if (strcmp(command, "qom-get") == 0) {
        say(client, "{\"return\": \"synthetic\"}");
    } else if (strcmp(command, "human-monitor-command") == 0) {
        answer_monitor(client, line);
    } else if (strcmp(command, "migrate-incoming") == 0) {
        const char *socket = strstr(text_of(line, "uri", path, sizeof path), "unix:");
        if (socket != NULL) {
            listen_at(socket + strlen("unix:"));
        }
        say(client, nothing);
    } else if (strcmp(command, "qmp_capabilities") == 0 || strcmp(command, "query-migrate") == 0) {
        say(client, nothing);
    } else {
        say(client, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"a synthetic guest does not know %s\"}}", command);
    }
}

static void greet(int socket) {
    for (int i = 0; i < MAX_CLIENTS; i++) {
        if (clients[i].socket < 0) {
            clients[i].socket = socket;
            clients[i].length = 0;
            say(&clients[i], "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 0, \"minor\": 0, \"micro\": 0}, \"package\": "
                             "\"synthetic\"}, \"capabilities\": []}}");
            return;
        }
    }
    close(socket);
}

static void hear(struct client *client) {
    const ssize_t count = recv(client->socket, client->line + client->length, LINE_BYTES - 1 - client->length, 0);
    if (count <= 0) {
        close(client->socket);
        client->socket = -1;
        return;
    }
    client->length += count;
    client->line[client->length] = 0;
    for (char *end = strchr(client->line, '\n'); end != NULL; end = strchr(client->line, '\n')) {
        *end = 0;
        obey(client, client->line);
        client->length -= end + 1 - client->line;
        memmove(client->line, end + 1, client->length + 1);
    }
    if (client->length == LINE_BYTES - 1) {
        close(client->socket);
        client->socket = -1;
    }
}

static void serve(void) {
    for (;;) {
        struct pollfd polled[MAX_SOCKETS + MAX_CLIENTS];
        for (int i = 0; i < options.socket_count; i++) {
            polled[i] = (struct pollfd){.fd = options.sockets[i], .events = POLLIN};
        }
        for (int i = 0; i < MAX_CLIENTS; i++) {
            polled[options.socket_count + i] = (struct pollfd){.fd = clients[i].socket, .events = POLLIN};
        }
        if (poll(polled, options.socket_count + MAX_CLIENTS, -1) < 0) {
            continue;
        }
        for (int i = 0; i < MAX_CLIENTS; i++) {
            if (clients[i].socket >= 0 && polled[options.socket_count + i].revents != 0) {
                hear(&clients[i]);
            }
        }
        for (int i = 0; i < options.socket_count; i++) {
            if (polled[i].revents != 0) {
                greet(accept4(options.sockets[i], NULL, NULL, SOCK_CLOEXEC));
            }
        }
    }
}

// ---------------------------------------------------------------- the command line

// The part behind "key=" up to the next comma.
static int option_value(const char *argument, const char *key, char *value, size_t size) {
    for (const char *at = argument; at != NULL && *at != 0; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, key, strlen(key)) == 0 && at[strlen(key)] == '=') {
            const char *from = at + strlen(key) + 1;
            const size_t length = strcspn(from, ",");
            if (length < size) {
                memcpy(value, from, length);
                value[length] = 0;
                return 1;
            }
        }
    }
    return 0;
}

static uint64_t parse_size(const char *text) {
    char *unit;
    const uint64_t number = strtoull(text, &unit, 10);
    return *unit == 'G' ? number << 30 : *unit == 'K' ? number << 10 : number << 20;
}

static void parse(int argc, char **argv) {
    char value[512];
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        const char *next = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argument, "-object") == 0 && strncmp(next, "memory-backend-file", 19) == 0) {
            options.bytes = option_value(next, "size", value, sizeof value) ? parse_size(value) : 0;
            option_value(next, "mem-path", options.path, sizeof options.path);
        } else if (strcmp(argument, "-qmp") == 0 && strncmp(next, "unix:", 5) == 0 && options.socket_count < MAX_SOCKETS) {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(next + 5, ","), next + 5);
            options.sockets[options.socket_count++] = listen_at(value);
        } else if (strcmp(argument, "-S") == 0) {
            options.is_waiting = 1;
        } else if (strcmp(argument, "-synthetic") == 0 && option_value(next, "fill", value, sizeof value)) {
            options.fill_pages = strtoull(value, NULL, 10);
        }
    }
    if (options.bytes == 0 || options.path[0] == 0 || options.socket_count == 0) {
        fail("give -object memory-backend-file,size=…,mem-path=… and -qmp unix:…");
    }
}

static void map_memory(void) {
    const int file = open(options.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, (off_t)options.bytes) != 0) {
        fail("cannot make %s: %s", options.path, strerror(errno));
    }
    memory = mmap(NULL, options.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        fail("cannot map %s: %s", options.path, strerror(errno));
    }
    close(file);
}

int main(int argc, char **argv) {
    for (int i = 0; i < MAX_CLIENTS; i++) {
        clients[i].socket = -1;
    }
    signal(SIGPIPE, SIG_IGN);
    const struct sigaction interruption = {.sa_handler = interrupt_sleep};
    sigaction(SIGUSR1, &interruption, NULL);
    parse(argc, argv);
    map_memory();
    uint64_t random = 2;
    for (int i = 0; i < DEVICE_STATE_BYTES; i++) {
        device_state[i] = (unsigned char)next_random(&random);
    }
    // A standby's memory is the replica: it is not touched.
    is_stopping = options.is_waiting;
    if (options.is_waiting) {
        is_parked = 1;
    } else {
        dirty = (struct dirty){.memory = memory, .first_page = 1, .pages = options.fill_pages, .bytes = 1};
        if (options.fill_pages >= options.bytes / PAGE) {
            fail("more pages to fill than there are");
        }
        dirty_fill(&dirty);
        pthread_t writer;
        if (pthread_create(&writer, NULL, write_pages, NULL) != 0) {
            fail("cannot start a thread");
        }
        while (__atomic_load_n(&writer_thread, __ATOMIC_RELAXED) == 0) {
            sched_yield();
        }
    }
    serve();
}
