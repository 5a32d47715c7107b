/*
 * A source whose sender has to show a certificate, beside its signature: from which
 * authority, and under which names.
 *
 * The certificate is asked for in every handshake, since the source is known only
 * from the request, and judged when one for that source is there.
 */
#ifndef CLIENT_CERTIFICATE_H
#define CLIENT_CERTIFICATE_H

#include <openssl/types.h>

#include "formats/error.h"

struct client_certificate;
struct config_source;

/*
 * Gives *required, freed with client_certificate_free(), from client_ca_file and
 * client_names of the source, which it borrows; NULL where the source wants none.
 */
MUST_CHECK bool client_certificate_new(struct client_certificate **required,
				       const struct config_source *source, struct error *error);
void client_certificate_free(struct client_certificate *required); /* NULL is fine */

/*
 * Does the peer of that session have one?  It is judged once a connection.  The
 * sentence of `error` is for our log alone.
 */
MUST_CHECK bool client_certificate_check(const struct client_certificate *required, SSL *session,
					 struct error *error);

#endif
