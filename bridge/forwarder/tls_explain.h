/*
 * Why there is no TLS with a server, in words for the operator: what is wrong, and
 * what to do.  What comes from the server's certificate is made printable.
 */
#ifndef TLS_EXPLAIN_H
#define TLS_EXPLAIN_H

#include <openssl/x509.h>

#include "formats/error.h"
#include "formats/text.h"

/*
 * X509_verify_cert() stumbled with `code` over `certificate`, `depth` above the
 * server's own; `name` is whom we wanted.  "its certificate expired 3 days ago; ..."
 */
void tls_explain_certificate(int code, const X509 *certificate, int depth, const char *name,
			     struct error *error);

/* Its certificate has none of the fingerprints that are configured. */
void tls_explain_fingerprint(const X509 *certificate, struct error *error);

/*
 * A call of OpenSSL failed and left `code` in its queue (ERR_peek_error()):
 * "refused by PEER: ..." for an alert of the server, "no TLS with PEER: ..." else.
 */
void tls_explain_failure(unsigned long code, const char *peer, struct error *error);

/* A file could not be loaded: "WHAT FILE cannot be used: ...", from the same queue. */
void tls_explain_file(unsigned long code, const char *what, const char *file, struct error *error);

/* Appends whom a certificate is for and how long it still holds. */
void tls_explain_names(const X509 *certificate, struct text *text);

#endif
