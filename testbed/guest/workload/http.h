// A small HTTP/1.1 server for GET with keep-alive: one thread, epoll, one answer buffer per connection.
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>

#define HTTP_BODY_BYTES (64 * 1024)

// Writes the answer's body and returns its length, or -1 for 404.
typedef int http_handler(const char *path, char *body);

const char *http_serve(int port, http_handler *handler);

#endif
