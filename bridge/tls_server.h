/*
 * The TLS policy of the listener (reliability.md 3.4): TLS 1.2 and 1.3, forward
 * secret AEAD suites, no renegotiation, compression, tickets, session cache or
 * early data; of ALPN only http/1.1.  Shared by all loops, read-only once made.
 */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include <openssl/types.h>

#include "formats/error.h"

struct bufferevent;
struct event_base;
struct tls_server;

/*
 * Reads the certificate (PEM, its chain behind it) and the key, which must fit.
 * Gives *server, freed with tls_server_free().
 */
MUST_CHECK bool tls_server_new(struct tls_server **server, const char *certificate,
			       const char *private_key, struct error *error);
void tls_server_free(struct tls_server *server); /* NULL is fine */

/*
 * From now on, to be called before the first connection: staples the OCSP response of a
 * DER file (RFC 6066 8) as long as it says to be valid; asks every client for a
 * certificate and names the authorities of a PEM file to it.  Whether it has one, and
 * which, is nobody's business here: SSL_get0_peer_certificate().
 */
MUST_CHECK bool tls_server_staple(struct tls_server *server, const char *ocsp_response,
				  struct error *error);
MUST_CHECK bool tls_server_ask_clients(struct tls_server *server, const char *ca_file,
				       struct error *error);

/* Gives a session for a peer's handshake, freed with SSL_free(). */
SSL *tls_server_session(struct tls_server *server);

/*
 * Gives a connection to which evhttp still gives its socket, waiting for the peer's
 * handshake.  Freed with bufferevent_free(), which closes the socket.  Never NULL: with
 * NULL evhttp would go on in plain text.
 */
struct bufferevent *tls_server_bufferevent(struct tls_server *server, struct event_base *base);

#endif
