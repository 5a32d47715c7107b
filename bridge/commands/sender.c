#include "bridge/commands/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "bridge/deadline.h"
#include "bridge/read_file.h"
#include "bridge/receiver/verify.h"
#include "formats/memory.h"
#include "formats/sample.h"

enum {
	ID_LENGTH = 27, /* base62 of 160 bits, as senders of Standard Webhooks do it */
	LONGEST_SAMPLE = 64 * 1024,
	LONGEST_DATA = 16 * 1024 * 1024,
};

/* "msg_" or "evt_" and base62 digits of the system's randomness. */
static bool
make_id(const char *prefix, char id[SENDER_LONGEST_ID + 1], struct error *error)
{
	static const char digits[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	struct text text;
	size_t made = 0;

	text_start(&text, id, SENDER_LONGEST_ID + 1);
	text_append_string(&text, prefix);
	while (made < ID_LENGTH) {
		unsigned char byte;

		if (getrandom(&byte, 1, 0) != 1) {
			if (errno == EINTR)
				continue;
			return error_set_errno(error, "no random numbers");
		}
		if (byte >= 4 * 62) /* else the first digits would come more often */
			continue;
		text_append_byte(&text, digits[byte % 62]);
		made++;
	}
	text_append_byte(&text, '\0');
	return true;
}

static bool
is_made_of(const char *text, size_t longest, const char *more)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (!((text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= 'a' && text[i] <= 'z') ||
		      (text[i] >= '0' && text[i] <= '9') || strchr(more, text[i]) != NULL))
			return false;
	return length > 0 && length <= longest;
}

bool
sender_is_id(const char *text)
{
	return is_made_of(text, SENDER_LONGEST_ID, "_-");
}

bool
sender_is_type(const char *text)
{
	return is_made_of(text, SENDER_LONGEST_TYPE, "._-");
}

static const struct config_source *
find_source(const struct config *config, const char *name, struct error *error)
{
	for (unsigned i = 0; i < config->sources_count; i++)
		if (name == NULL || strcmp(config->sources[i].name, name) == 0)
			return &config->sources[i];
	error_set(error, "%s has no source %s", config->path, name != NULL ? name : "at all");
	return NULL;
}

/* A wildcard address is where we listen, not where we can be reached. */
static bool
make_url(struct sender *sender, struct error *error)
{
	char host[256], port[8];
	const char *reachable = host;
	struct text url;

	if (!config_parse_address(sender->config->listen.address, host, port, error))
		return false;
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0)
		reachable = "127.0.0.1";
	else if (strcmp(host, "::") == 0)
		reachable = "::1";
	text_start(&url, sender->url, sizeof(sender->url));
	text_append_string(&url, "https://");
	text_append_string(&url, strchr(reachable, ':') != NULL ? "[" : "");
	text_append_string(&url, reachable);
	text_append_string(&url, strchr(reachable, ':') != NULL ? "]:" : ":");
	text_append_string(&url, port);
	text_append_string(&url, sender->source->path);
	text_append_byte(&url, '\0');
	return !url.overflowed ||
	       error_set(error, "the path of %s is too long", sender->source->name);
}

bool
sender_open(struct sender *sender, const char *config_path, const char *source, int64_t timeout,
	    struct error *error)
{
	*sender = (struct sender){.body_capacity = LONGEST_DATA};
	if (!config_read(&sender->config, config_path, error))
		return false;
	sender->source = find_source(sender->config, source, error);
	if (sender->source == NULL || !make_url(sender, error) ||
	    !verify_new(&sender->verify, sender->source, error) ||
	    !certificate_pin(sender->config->listen.certificate, sender->pin, error))
		return false;
	sender->settings = (struct http_client_settings){
	    .pinned_key = sender->pin, .connect_timeout = timeout, .timeout = timeout};
	sender->body_bytes = memory_allocate(sender->body_capacity);
	return http_client_new(&sender->client, &sender->settings, error);
}

void
sender_close(struct sender *sender)
{
	free(sender->body_bytes);
	http_client_free(sender->client);
	verify_free(sender->verify);
	config_free(sender->config);
}

static bool
make_sample(const struct sender *sender, const struct sender_order *order,
	    struct sender_message *message, struct error *error)
{
	bool is_hec = sender->source->signature == CONFIG_SIGNATURE_HEC;

	if (order->mark != NULL) /* one id, by which it is found wherever it went */
		memcpy(message->body_id, message->id, sizeof(message->body_id));
	else if (!make_id("evt_", message->body_id, error))
		return false;
	text_append_string(&message->body, is_hec ? "{\"event\":" : "");
	sample_write(text_of(order->type), text_of(message->body_id), deadline_wall(),
		     &message->body);
	text_append_string(&message->body, is_hec ? "}" : "");
	/* of GitHub's webhooks it is a header that names the type */
	if (strcmp(sender->source->profile, "github") == 0)
		text_append_format(&message->headers, "x-github-event: %s\n", order->type);
	return !message->body.overflowed ||
	       error_set(error, "the sample of %s does not fit", order->type);
}

static bool
make_body(const struct sender *sender, const struct sender_order *order,
	  struct sender_message *message, struct error *error)
{
	struct stat status;

	text_start(&message->body, sender->body_bytes,
		   order->data != NULL ? sender->body_capacity : LONGEST_SAMPLE);
	message->body_id[0] = '\0';
	if (order->data == NULL)
		return make_sample(sender, order, message, error);
	return read_file(order->data, message->body.bytes, message->body.capacity,
			 &message->body.length, &status, error);
}

bool
sender_make(const struct sender *sender, const struct sender_order *order,
	    struct sender_message *message, struct error *error)
{
	struct text id;

	if (order->id == NULL) {
		if (!make_id(order->mark != NULL ? order->mark : "msg_", message->id, error))
			return false;
	} else {
		text_start(&id, message->id, sizeof(message->id));
		text_append_string(&id, order->id);
		text_append_byte(&id, '\0');
	}
	text_start(&message->headers, message->header_bytes, sizeof(message->header_bytes));
	text_append_string(&message->headers, "content-type: application/json\n");
	return make_body(sender, order, message, error) &&
	       verify_sign(sender->verify, text_of(message->id), deadline_wall(),
			   text_slice(&message->body), &message->headers, error);
}

bool
sender_post(const struct sender *sender, const struct sender_message *message,
	    struct http_client_answer *answer, struct error *error)
{
	return http_client_post(sender->client, sender->url, text_slice(&message->headers),
				text_slice(&message->body), answer, error);
}
