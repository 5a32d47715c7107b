/*
 * TLS as a client, over a socket that is connected: TLS 1.2 or 1.3, no early data,
 * no resumption, no renegotiation.  The server is known by its name or by a
 * fingerprint, always.
 *
 * Nothing here waits but tls_client_open().  An end of the connection without
 * close_notify is a broken connection.  The process has to ignore SIGPIPE.
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include "bridge/config.h"
#include "bridge/forwarder/connect.h"
#include "formats/text.h"

struct tls_client;

/*
 * Shakes hands, and reads all files anew for it.  `host` is whom to look for in the
 * certificate where no server_name is set, and what to ask for (SNI) where that is
 * no IP address.  Gives *client, freed with tls_client_close().  Borrows the
 * descriptor (non-blocking) and `peer` until then.
 */
MUST_CHECK bool tls_client_open(struct tls_client **client, int descriptor,
				const struct config_tls *settings, const char *host,
				const char *peer, const struct connect_patience *patience,
				struct error *error);

/*
 * Writes what the socket takes of it: *taken bytes, which may be 0.  What was not
 * taken must begin the next call.  False: the connection is broken.
 */
MUST_CHECK bool tls_client_write(struct tls_client *client, const char *bytes, size_t length,
				 size_t *taken, struct error *error);

/* Reads what is there: *length bytes, 0 for nothing.  False: it has ended, or is broken. */
MUST_CHECK bool tls_client_read(struct tls_client *client, char *buffer, size_t size,
				size_t *length, struct error *error);

/* Appends the version, the cipher and whose certificate was accepted. */
void tls_client_describe(const struct tls_client *client, struct text *text);

/* Bytes written to the socket so far, those of TLS itself among them. */
uint64_t tls_client_wire(const struct tls_client *client);

/* How many of the bytes taken are in the first `wire` bytes of the socket, or fewer. */
uint64_t tls_client_plain(struct tls_client *client, uint64_t wire);

/* Says goodbye (close_notify) where that is still possible, and waits for nothing. */
void tls_client_close(struct tls_client *client);

#endif
