/*
 * Who may stay when there are too many connections, who may ask, and whose bodies may be
 * held (limit.h).  Where a group has no limit, all of that is granted.
 */
#ifndef HTTP_ADMISSION_H
#define HTTP_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

struct http_connection;
struct sockaddr;

/*
 * May a peer of that address come in?  Gives *wait, the milliseconds until its handshake
 * may begin; the connection counts until http_admission_leave().  False: it is turned
 * away, and counted as such.
 */
bool http_admission_enter(struct http_connection *connection, const struct sockaddr *address,
			  int64_t *wait);
void http_admission_leave(struct http_connection *connection);

/* It has shown a good signature: when the house is full others have to go first. */
void http_admission_prove(struct http_connection *connection);

/* One more request of its peer; one more that is refused; false: too many. */
bool http_admission_may_ask(struct http_connection *connection);
bool http_admission_may_err(struct http_connection *connection);

/* Counts what the gate holds, until the release; false: there is no memory for it. */
bool http_admission_count(struct http_connection *connection);
void http_admission_release(struct http_connection *connection);

#endif
