/*
 * The console's HTTP server: bytes to console_answer() and back.  The only file of the
 * console that knows evhttp.
 */
#ifndef CONSOLE_SERVE_H
#define CONSOLE_SERVE_H

#include "bridge/console/desk.h"

struct event_base;
struct tls_server;
struct console_serve;

/*
 * Serves the listening socket, which stays the caller's, on that loop.  server NULL: in
 * the clear.  Gives *serve, freed with console_serve_free(); borrows the rest until then.
 */
MUST_CHECK bool console_serve_new(struct console_serve **serve, struct event_base *base, int socket,
				  struct tls_server *server, struct desk *desk,
				  struct error *error);
void console_serve_free(struct console_serve *serve);

#endif
