/*
 * The sender's part, as anyint would play it: a body, its signature by the
 * source's first secret, and a POST to the address this configuration listens on.
 * Whom it speaks to is known by the public key of the configured certificate, so
 * that a self-signed one for another name will do.
 */
#include "bridge/commands/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "bridge/commands/certificate_pin.h"
#include "bridge/commands/options.h"
#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/http_client.h"
#include "bridge/read_file.h"
#include "bridge/receiver/verify.h"
#include "formats/memory.h"
#include "formats/sample.h"

enum {
	ID_LENGTH = 27, /* base62 of 160 bits, as senders of Standard Webhooks do it */
	LONGEST_ID = 64,
	LONGEST_TYPE = 127,
	LONGEST_SAMPLE = 64 * 1024,
	LONGEST_DATA = 16 * 1024 * 1024,
	LONGEST_HEADERS = 2048,
	LONGEST_URL = 2048,
	MOST_MESSAGES = 100000000,
	TIMEOUT = 10000, /* ms */
};

/* The words of the command line. */
struct request {
	const char *config;
	const char *source; /* NULL: the first one */
	const char *data;   /* NULL: a sample */
	const char *id;     /* NULL: a new one for each message */
	const char *type;   /* NULL: only with data or list */
	uint64_t count;
	bool list;
	bool curl;
};

/* What sending needs, made from them. */
struct sending {
	const struct request *request;
	struct config *config;
	const struct config_source *source; /* borrowed from config */
	struct verify *verify;
	struct http_client *client; /* NULL where nothing is sent */
	char pin[CERTIFICATE_PIN_LENGTH];
	char url[LONGEST_URL];
	char *body_bytes;
	size_t body_capacity;
};

/* One message, ready to go. */
struct message {
	char id[LONGEST_ID + 1];
	struct text headers; /* "name: value\n" lines */
	char header_bytes[LONGEST_HEADERS];
	struct text body;
};

/* "msg_" or "evt_" and base62 digits of the system's randomness. */
static bool
make_id(const char *prefix, char id[LONGEST_ID + 1], struct error *error)
{
	static const char digits[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	struct text text;
	size_t made = 0;

	text_start(&text, id, LONGEST_ID + 1);
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
make_url(struct sending *sending, struct error *error)
{
	char host[256], port[8];
	const char *reachable = host;
	struct text url;

	if (!config_parse_address(sending->config->listen.address, host, port, error))
		return false;
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0)
		reachable = "127.0.0.1";
	else if (strcmp(host, "::") == 0)
		reachable = "::1";
	text_start(&url, sending->url, sizeof(sending->url));
	text_append_string(&url, "https://");
	text_append_string(&url, strchr(reachable, ':') != NULL ? "[" : "");
	text_append_string(&url, reachable);
	text_append_string(&url, strchr(reachable, ':') != NULL ? "]:" : ":");
	text_append_string(&url, port);
	text_append_string(&url, sending->source->path);
	text_append_byte(&url, '\0');
	return !url.overflowed ||
	       error_set(error, "the path of %s is too long", sending->source->name);
}

static bool
open_sending(struct sending *sending, const struct request *request, struct error *error)
{
	*sending = (struct sending){.request = request};
	if (!config_read(&sending->config, request->config, error))
		return false;
	sending->source = find_source(sending->config, request->source, error);
	if (sending->source == NULL || !make_url(sending, error) ||
	    !verify_new(&sending->verify, sending->source, error) ||
	    !certificate_pin(sending->config->listen.certificate, sending->pin, error))
		return false;
	/* a signature ends with its minutes; a token would stand in a terminal's history for good
	 */
	if (request->curl && (sending->source->signature == CONFIG_SIGNATURE_BEARER ||
			      sending->source->signature == CONFIG_SIGNATURE_TOKEN ||
			      sending->source->signature == CONFIG_SIGNATURE_HEC))
		return error_set(error, "--curl would show the token of source %s; send without it",
				 sending->source->name);
	if (!request->curl) {
		const struct http_client_settings settings = {
		    .pinned_key = sending->pin, .connect_timeout = TIMEOUT, .timeout = TIMEOUT};

		if (!http_client_new(&sending->client, &settings, error))
			return false;
	}
	sending->body_capacity = request->data != NULL ? LONGEST_DATA : LONGEST_SAMPLE;
	sending->body_bytes = memory_allocate(sending->body_capacity);
	return true;
}

static void
close_sending(struct sending *sending)
{
	free(sending->body_bytes);
	http_client_free(sending->client);
	verify_free(sending->verify);
	config_free(sending->config);
}

static bool
make_body(const struct sending *sending, struct text *body, struct error *error)
{
	const struct request *request = sending->request;
	char id[LONGEST_ID + 1];
	struct stat status;
	bool is_hec;

	text_start(body, sending->body_bytes, sending->body_capacity);
	if (request->data != NULL)
		return read_file(request->data, body->bytes, body->capacity, &body->length, &status,
				 error);
	if (!make_id("evt_", id, error))
		return false;
	is_hec = sending->source->signature == CONFIG_SIGNATURE_HEC;
	text_append_string(body, is_hec ? "{\"event\":" : "");
	sample_write(text_of(request->type), text_of(id), deadline_wall(), body);
	text_append_string(body, is_hec ? "}" : "");
	return !body->overflowed ||
	       error_set(error, "the sample of %s does not fit", request->type);
}

static bool
make_message(const struct sending *sending, struct message *message, struct error *error)
{
	struct text id;

	if (sending->request->id == NULL) {
		if (!make_id("msg_", message->id, error))
			return false;
	} else {
		text_start(&id, message->id, sizeof(message->id));
		text_append_string(&id, sending->request->id);
		text_append_byte(&id, '\0');
	}
	if (!make_body(sending, &message->body, error))
		return false;
	text_start(&message->headers, message->header_bytes, sizeof(message->header_bytes));
	text_append_string(&message->headers, "content-type: application/json\n");
	return verify_sign(sending->verify, text_of(message->id), deadline_wall(),
			   text_slice(&message->body), &message->headers, error);
}

/* ---- what is shown ---- */

/* In single quotes for a shell: ' becomes '\''. */
static void
print_quoted(struct slice text)
{
	(void)putchar('\'');
	for (size_t i = 0; i < text.length; i++)
		if (text.bytes[i] == '\'')
			(void)fputs("'\\''", stdout);
		else
			(void)putchar(text.bytes[i]);
	(void)putchar('\'');
}

static void
print_curl(const struct sending *sending, const struct message *message)
{
	struct slice headers = text_slice(&message->headers);

	(void)fputs("curl --insecure --pinnedpubkey ", stdout);
	print_quoted(text_of(sending->pin));
	while (headers.length > 0) {
		size_t length = strcspn(headers.bytes, "\n");

		(void)fputs(" \\\n  -H ", stdout);
		print_quoted((struct slice){headers.bytes, length});
		headers.bytes += length + 1;
		headers.length -= length + 1;
	}
	(void)fputs(" \\\n  --data-binary ", stdout);
	print_quoted(text_slice(&message->body));
	(void)fputs(" \\\n  ", stdout);
	print_quoted(text_of(sending->url));
	(void)putchar('\n');
}

/* The answer's body as one line that leaves a terminal alone. */
static void
print_answer(const struct sending *sending, const struct message *message,
	     const struct http_client_answer *answer)
{
	const char *type = sending->request->type;

	(void)printf("%d %s %s", answer->status, type != NULL ? type : sending->request->data,
		     message->id);
	if (answer->status < 200 || answer->status > 299) {
		(void)putchar(' ');
		for (size_t i = 0; i < answer->body.length; i++) {
			char byte = answer->body.bytes[i];

			(void)putchar(byte >= 0x20 && byte < 0x7f ? byte : ' ');
		}
	}
	(void)putchar('\n');
}

/* *accepted becomes false where the answer was no 2xx. */
static bool
send_one(const struct sending *sending, bool *accepted, struct error *error)
{
	struct http_client_answer answer;
	struct message message;

	if (!make_message(sending, &message, error))
		return false;
	if (sending->request->curl) {
		print_curl(sending, &message);
		return true;
	}
	if (!http_client_post(sending->client, sending->url, text_slice(&message.headers),
			      text_slice(&message.body), &answer, error))
		return false;
	print_answer(sending, &message, &answer);
	if (answer.status < 200 || answer.status > 299)
		*accepted = false;
	return true;
}

static int
list_samples(void)
{
	for (size_t i = 0; sample_type(i) != NULL; i++)
		(void)puts(sample_type(i));
	return EXIT_SUCCESS;
}

static bool
read_request(struct request *request, int argc, char **argv)
{
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &request->config},
	    {.name = "source", .text = &request->source},
	    {.name = "data", .text = &request->data},
	    {.name = "id", .text = &request->id},
	    {.name = "count", .number = &request->count, .maximum = MOST_MESSAGES},
	    {.name = "list", .flag = &request->list},
	    {.name = "curl", .flag = &request->curl},
	};
	size_t words;

	*request = (struct request){.config = OPTIONS_CONFIG_DEFAULT, .count = 1};
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, &request->type, 1,
			  &words))
		return false;
	if (request->list)
		return true;
	if (words == 0 && request->data == NULL)
		return options_refuse(argv[0],
				      "say which TYPE of event (siembridge send --list shows "
				      "them), or --data FILE");
	if (words == 1 && !is_made_of(request->type, LONGEST_TYPE, "._-"))
		return options_refuse(argv[0], "a type is made of A-Z a-z 0-9 . _ -");
	if (request->id != NULL && !is_made_of(request->id, LONGEST_ID, "_-"))
		return options_refuse(argv[0], "an id is up to %d of A-Z a-z 0-9 _ -", LONGEST_ID);
	return true;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request;
	struct sending sending;
	struct error error;
	bool done, accepted = true;

	(void)command;
	if (!read_request(&request, argc, argv))
		return OPTIONS_WRONG;
	if (request.list)
		return list_samples();
	done = open_sending(&sending, &request, &error);
	for (uint64_t i = 0; done && i < request.count; i++)
		done = send_one(&sending, &accepted, &error);
	if (!done)
		(void)fprintf(stderr, "siembridge send: %s\n", error.text);
	close_sending(&sending);
	return done && accepted ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_send = {
    .name = "send",
    .usage = "send [-c FILE] [--source NAME] [--id ID] [--count N] [--curl] TYPE | --data FILE\n"
	     "       siembridge send --list",
    .summary = "sign and post a sample event to this bridge",
    .help = "Plays the sender: makes a sample event of TYPE (or takes the bytes of FILE),\n"
	    "signs it with the source's first secret and posts it to the address that the\n"
	    "configuration listens on.  The bridge is known by the public key of its\n"
	    "certificate.  Prints the status, the type and the id of each message; exits 0\n"
	    "where every answer was a 2xx.\n"
	    "\n"
	    "  -c, --config FILE  configuration; default " OPTIONS_CONFIG_DEFAULT "\n"
	    "  --source NAME      which source to be; default the first\n"
	    "  --data FILE        post these bytes instead of a sample\n"
	    "  --id ID            delivery id; default a new one for each message\n"
	    "  --count N          so many messages, one after the other\n"
	    "  --curl             send nothing, print a curl command with a valid signature\n"
	    "  --list             print the types there are samples of\n",
    .run = run,
};
