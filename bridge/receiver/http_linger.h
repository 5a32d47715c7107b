/*
 * A refused connection's end: what the peer is still sending is read and thrown
 * away for a while, because closing on unread bytes resets the connection and the
 * peer may then never see the answer (RFC 9112 9.6).
 */
#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

struct event_base;

/* The connections of one loop that are at their end; {NULL} is none. */
struct http_lingers {
	struct http_linger *first;
};

/*
 * Takes the socket, to which no more is written, and closes it when the peer has ended
 * or after 2 s.
 */
void http_linger_start(struct http_lingers *lingers, struct event_base *base, int socket);

/* Closes all of them. */
void http_linger_stop(struct http_lingers *lingers);

#endif
