/* Signs and posts samples, or whatever a file holds, as the sender would. */
#include "bridge/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/commands/options.h"
#include "bridge/commands/sender.h"
#include "formats/sample.h"

enum { MOST_MESSAGES = 100000000, TIMEOUT = 10000 /* ms */ };

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
print_curl(const struct sender *sender, const struct sender_message *message)
{
	struct slice headers = text_slice(&message->headers);

	(void)fputs("curl --insecure --pinnedpubkey ", stdout);
	print_quoted(text_of(sender->pin));
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
	print_quoted(text_of(sender->url));
	(void)putchar('\n');
}

/* The answer's body as one line that leaves a terminal alone. */
static void
print_answer(const struct request *request, const struct sender_message *message,
	     const struct http_client_answer *answer)
{
	(void)printf("%d %s %s", answer->status,
		     request->type != NULL ? request->type : request->data, message->id);
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
send_one(const struct request *request, const struct sender *sender, bool *accepted,
	 struct error *error)
{
	const struct sender_order order = {request->type, request->data, request->id, NULL};
	struct http_client_answer answer;
	struct sender_message message;

	if (!sender_make(sender, &order, &message, error))
		return false;
	if (request->curl) {
		print_curl(sender, &message);
		return true;
	}
	if (!sender_post(sender, &message, &answer, error))
		return false;
	print_answer(request, &message, &answer);
	if (answer.status < 200 || answer.status > 299)
		*accepted = false;
	return true;
}

/*
 * A signature ends with its minutes; a token would stand in a terminal's history for
 * good.
 */
static bool
may_show(const struct request *request, const struct config_source *source, struct error *error)
{
	if (request->curl && (source->signature == CONFIG_SIGNATURE_BEARER ||
			      source->signature == CONFIG_SIGNATURE_TOKEN ||
			      source->signature == CONFIG_SIGNATURE_HEC))
		return error_set(error, "--curl would show the token of source %s; send without it",
				 source->name);
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
	if (words == 1 && !sender_is_type(request->type))
		return options_refuse(argv[0], "a type is made of A-Z a-z 0-9 . _ -");
	if (request->id != NULL && !sender_is_id(request->id))
		return options_refuse(argv[0], "an id is up to %d of A-Z a-z 0-9 _ -",
				      SENDER_LONGEST_ID);
	return true;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request;
	struct sender sender;
	struct error error;
	bool done, accepted = true;

	(void)command;
	if (!read_request(&request, argc, argv))
		return OPTIONS_WRONG;
	if (request.list)
		return list_samples();
	done = sender_open(&sender, request.config, request.source, TIMEOUT, &error) &&
	       may_show(&request, sender.source, &error);
	for (uint64_t i = 0; done && i < request.count; i++)
		done = send_one(&request, &sender, &accepted, &error);
	if (!done)
		(void)fprintf(stderr, "siembridge send: %s\n", error.text);
	sender_close(&sender);
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
