/*
 * CloudEvents' abuse protection (HTTP 1.1 Web Hooks 1.0, 4): a sender asks with OPTIONS
 * whether its events are wanted here, before it sends any.  Consent is two headers,
 * and is given to the origins that the source's configuration names.  A
 * WebHook-Request-Callback is never called.
 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "bridge/config.h"
#include "bridge/receiver/verify.h"

enum { HANDSHAKE_ORIGIN = 253 /* bytes of a DNS name */ };

struct handshake {
	char origin[HANDSHAKE_ORIGIN + 1]; /* WebHook-Allowed-Origin; "": no consent */
	char rate[24];                     /* WebHook-Allowed-Rate, a minute; "": none was asked */
};

/* False: the request asks for no consent, and `consent` is void. */
bool handshake_answer(const struct config_source *source, const struct verify_request *request,
		      struct handshake *consent);

#endif
