/*
 * One message a datagram, for UDP (RFC 5426) and unix sockets alike.  A datagram
 * that the kernel took counts as confirmed: there is nothing more to know.
 */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include "bridge/forwarder/send.h"

struct datagram {
	int descriptor; /* connected, non-blocking */
	struct connect_peer peer;
	unsigned few; /* at most so many go out at once; 0: no need to be careful */
	bool starved; /* the kernel had no memory: no event will tell when it has */
};

/* The functions of struct send_kind, for a connection that is a struct datagram. */
const char *datagram_peer(const void *connection);
enum send_result datagram_send(void *connection, struct batch *batch, struct error *error);
enum send_result datagram_confirm(void *connection, uint64_t written, uint64_t *confirmed,
				  struct error *error);
void datagram_watch(const void *connection, bool blocked, uint64_t written,
		    struct send_watch *watch);
void datagram_close(void *connection);

#endif
