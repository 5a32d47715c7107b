/*
 * The sender's part, as anyint would play it: a body, its signature by the source's
 * first secret, and a POST to the address that a configuration listens on.  Whom it
 * speaks to is known by the public key of the configured certificate, so that a
 * self-signed one for another name will do.
 */
#ifndef SENDER_H
#define SENDER_H

#include "bridge/commands/certificate_pin.h"
#include "bridge/config.h"
#include "bridge/http_client.h"
#include "formats/text.h"

enum {
	SENDER_LONGEST_ID = 64,
	SENDER_LONGEST_TYPE = 127,
	SENDER_LONGEST_HEADERS = 2048,
	SENDER_LONGEST_URL = 2048,
};

struct sender {
	struct config *config;
	const struct config_source *source; /* borrowed from config */
	struct verify *verify;
	struct http_client_settings settings;
	struct http_client *client;
	char pin[CERTIFICATE_PIN_LENGTH];
	char url[SENDER_LONGEST_URL];
	char *body_bytes;
	size_t body_capacity;
};

/* One message, ready to go; its body is the sender's. */
struct sender_message {
	char id[SENDER_LONGEST_ID + 1];
	char body_id[SENDER_LONGEST_ID + 1]; /* of a sample; else empty */
	struct text headers;                 /* "name: value\n" lines */
	char header_bytes[SENDER_LONGEST_HEADERS];
	struct text body;
};

/* What is to be in it. */
struct sender_order {
	const char *type; /* of a sample; where there is data: how it is called */
	const char *data; /* a file; NULL: a sample */
	const char *id;   /* NULL: a new one */
	const char *mark; /* what the one id of a sample begins with; NULL: two, msg_ and evt_ */
};

/*
 * Reads the configuration; `source` NULL: its first one; `timeout` in ms, for a request.
 * Closed with sender_close(), also where it is false.
 */
MUST_CHECK bool sender_open(struct sender *sender, const char *config_path, const char *source,
			    int64_t timeout, struct error *error);
void sender_close(struct sender *sender);

MUST_CHECK bool sender_make(const struct sender *sender, const struct sender_order *order,
			    struct sender_message *message, struct error *error);
MUST_CHECK bool sender_post(const struct sender *sender, const struct sender_message *message,
			    struct http_client_answer *answer, struct error *error);

bool sender_is_id(const char *text);
bool sender_is_type(const char *text);

#endif
