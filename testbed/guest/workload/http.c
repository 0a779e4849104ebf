#include "http.h"
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_BYTES 256
#define REQUEST_BYTES 2048
#define EVENTS 64

struct connection {
    int socket;
    int received;
    size_t to_send, sent;
    char request[REQUEST_BYTES];
    char answer[HEADER_BYTES + HTTP_BODY_BYTES];
};

static void close_connection(struct connection *connection) {
    close(connection->socket);
    free(connection);
}

// 0 when there is more to send than the socket takes, -1 when the connection is broken.
static int send_answer(struct connection *connection) {
    while (connection->sent < connection->to_send) {
        const ssize_t count =
            send(connection->socket, connection->answer + connection->sent, connection->to_send - connection->sent, MSG_NOSIGNAL);
        if (count < 0) {
            return errno == EAGAIN ? 0 : -1;
        }
        connection->sent += count;
    }
    return 1;
}

static void make_answer(struct connection *connection, const char *path, http_handler *handler) {
    char *body = connection->answer + HEADER_BYTES, header[HEADER_BYTES];
    int length = handler(path, body);
    const int status = length < 0 ? 404 : 200;
    length = length < 0 ? 0 : length;
    const int header_length = snprintf(
        header, sizeof header, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", status,
        status == 200 ? "OK" : "Not Found", length);
    memmove(connection->answer + header_length, body, length);
    memcpy(connection->answer, header, header_length);
    connection->to_send = header_length + length;
    connection->sent = 0;
    count_units(1);
}

// False when the connection is to be closed. One request is under way at a time.
static int work(struct connection *connection, http_handler *handler) {
    for (;;) {
        const int sent = send_answer(connection);
        if (sent <= 0) {
            return sent == 0;
        }
        char *end = memmem(connection->request, connection->received, "\r\n\r\n", 4);
        if (end != NULL) {
            char path[128];
            const int length = end + 4 - connection->request;
            *end = 0;
            if (sscanf(connection->request, "GET %127s HTTP/1.1", path) != 1) {
                return 0;
            }
            make_answer(connection, path, handler);
            connection->received -= length;
            memmove(connection->request, connection->request + length, connection->received);
            continue;
        }
        const ssize_t count =
            recv(connection->socket, connection->request + connection->received, REQUEST_BYTES - connection->received, 0);
        if (count <= 0) {
            return count < 0 && errno == EAGAIN;
        }
        connection->received += count;
    }
}

static void accept_connections(int server, int epoll) {
    for (;;) {
        const int socket = accept4(server, NULL, NULL, SOCK_NONBLOCK);
        if (socket < 0) {
            return;
        }
        const int one = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL) {
            close(socket);
            return;
        }
        connection->socket = socket;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
        epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
    }
}

const char *http_serve(int port, http_handler *handler) {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    if (bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 1024) != 0) {
        return strerror(errno);
    }
    const int epoll = epoll_create1(0);
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, server, &listening);
    for (;;) {
        struct epoll_event events[EVENTS];
        const int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == NULL) {
                accept_connections(server, epoll);
            } else if (!work(connection, handler)) {
                close_connection(connection);
            }
        }
    }
}
