/*
 * Pages lead on by `next`, or by time: then the next page begins where the newest event
 * of this one stands, until a page has nothing newer.  The receiver's answer to each
 * event is waited for, so that nothing is counted that is not on disk.
 */
#include "bridge/poller/poll_walk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/handover.h"
#include "bridge/http_client.h"
#include "bridge/poller/poll_page.h"
#include "formats/memory.h"

enum {
	MOST_PAGES = 10000,                /* a list that leads in circles has an end */
	LONGEST_ANSWER = 16 * 1024 * 1024, /* bytes of a page */
	LONGEST_URL = 4096,                /* bytes */
	LONGEST_HEADERS = 4096,            /* bytes */
	CONNECT_TIMEOUT = 10 * 1000,       /* milliseconds */
};

struct step {
	struct poll_walk *walk;
	struct poll_found *found;
	struct http_client *client;
	int receiver; /* handover.h */
	struct slice origin;
	struct arena *arena; /* of a page */
	struct slice next;   /* absent: by time, or the end */
	int64_t since;       /* of the next page */
	int64_t newest;      /* event of this page */
	char url[LONGEST_URL];
	char cursor[LONGEST_URL];
	char headers[LONGEST_HEADERS];
	char evidence[LONGEST_URL];
};

/* ---- asking ---- */

static bool
write_headers(struct step *step, struct slice *headers, struct error *error)
{
	struct text text;

	text_start(&text, step->headers, sizeof(step->headers));
	text_append_string(&text, "accept: application/json\n");
	if (step->walk->token != NULL) {
		text_append_string(&text, "authorization: Bearer ");
		text_append_slice(&text, secret_bytes(step->walk->token));
		text_append_byte(&text, '\n');
	}
	*headers = text_slice(&text);
	return !text.overflowed || error_set(error, "its token is too long for a header");
}

static bool
judge(struct step *step, const struct http_client_answer *answer, struct error *error)
{
	step->walk->retry_after = answer->retry_after;
	if (answer->status == 200 && answer->body.length < LONGEST_ANSWER)
		return true;
	if (answer->status == 200)
		return error_set(error, "an answer of 16 MiB and more; ask for smaller pages");
	if (answer->status == 401 || answer->status == 403)
		return error_set(error, "answers %d: the token is not taken; look at token_file",
				 answer->status);
	if (answer->status >= 300 && answer->status < 400)
		return error_set(error,
				 "answers %d: it is somewhere else, and redirects are not "
				 "followed; mend url",
				 answer->status);
	return error_set(error, "answers %d", answer->status);
}

static bool
ask(struct step *step, struct http_client_answer *answer, struct error *error)
{
	struct http_client_request request = {.method = "GET", .url = step->url};
	struct text url;
	bool done;

	text_start(&url, step->url, sizeof(step->url));
	if (!poll_page_url(&url, step->walk->source->poll, step->since, step->walk->until,
			   step->next, error) ||
	    !write_headers(step, &request.headers, error))
		return false;
	done = http_client_perform(step->client, &request, answer, error) == HTTP_CLIENT_ANSWERED;
	memory_wipe(step->headers, sizeof(step->headers));
	if (!done)
		return false;
	return judge(step, answer, error) ||
	       error_prefix(error, "%.*s", (int)step->origin.length, step->origin.bytes);
}

/* ---- what it said ---- */

/* "siembridge-polled: https://api.example.com\n", beside the event for good. */
static struct slice
write_evidence(struct step *step)
{
	struct text text;

	text_start(&text, step->evidence, sizeof(step->evidence));
	text_append_string(&text, "siembridge-polled: ");
	text_append_slice(&text, step->origin);
	text_append_byte(&text, '\n');
	return text_slice(&text);
}

static bool
count_outcome(struct poll_found *found, enum handover_outcome outcome, struct error *error)
{
	switch (outcome) {
	case HANDOVER_STORED:
		found->missed++;
		return true;
	case HANDOVER_KNOWN:
		found->known++;
		return true;
	case HANDOVER_UNWANTED:
		found->unwanted++;
		return true;
	case HANDOVER_NO_EVENT:
		found->unreadable++;
		return true;
	case HANDOVER_LATER:
	case HANDOVER_OUTCOMES:
		break;
	}
	return error_set(error, "the receiver can store nothing now; the next poll goes on");
}

static bool
take_item(struct step *step, struct slice element, struct error *error)
{
	const struct poll_walk *walk = step->walk;
	struct handover_item given = {.source = text_of(walk->source->name)};
	struct poll_item item;
	enum handover_outcome outcome;

	step->found->seen++;
	if (!poll_page_item(&item, walk->source->poll, element, step->arena)) {
		step->found->unreadable++;
		return true;
	}
	if (item.at > step->newest)
		step->newest = item.at;
	if (item.at > walk->until) {
		step->found->young++;
		return true;
	}
	given.id = item.id;
	given.body = item.event;
	given.origin = write_evidence(step);
	return handover_give(step->receiver, &given, &outcome, error) &&
	       count_outcome(step->found, outcome, error);
}

static bool
take_items(struct step *step, struct poll_page *page, struct error *error)
{
	enum json_split_step result;
	struct slice element;

	while ((result = json_split_element(&page->items, &element)) == JSON_SPLIT_VALUE) {
		if (!take_item(step, element, error))
			return false;
		if (step->walk->stopping != NULL && atomic_load(step->walk->stopping))
			return error_set(error, "stopped");
	}
	return result == JSON_SPLIT_END || error_set(error, "its answer ends within the items");
}

/* Whither from here?  False: nowhere. */
static bool
move_on(struct step *step, const struct poll_page *page)
{
	if (step->walk->source->poll->next != NULL) {
		/* the same cursor again would be the same page again */
		if (page->next.length == 0 || page->next.length >= sizeof(step->cursor) ||
		    (page->next.length == step->next.length &&
		     memcmp(page->next.bytes, step->cursor, step->next.length) == 0))
			return false;
		memcpy(step->cursor, page->next.bytes, page->next.length);
		step->next = (struct slice){step->cursor, page->next.length};
		return true;
	}
	if (step->newest <= step->since)
		return false;
	step->since = step->newest;
	return true;
}

static bool
take_page(struct step *step, bool *more, struct error *error)
{
	struct http_client_answer answer;
	struct poll_page page;

	step->newest = 0;
	if (!ask(step, &answer, error))
		return false;
	if (!poll_page_read(&page, step->walk->source->poll, answer.body, step->arena, error))
		return error_prefix(error, "%.*s", (int)step->origin.length, step->origin.bytes);
	if (!take_items(step, &page, error))
		return false;
	step->found->pages++;
	*more = move_on(step, &page);
	if (step->walk->tell != NULL)
		step->walk->tell(step->walk->context, step->found);
	return true;
}

bool
poll_walk_run(struct poll_walk *walk, struct poll_found *found, struct error *error)
{
	const struct config_poll *poll = walk->source->poll;
	const struct http_client_settings settings = {
	    .ca_file = poll->ca_file,
	    .proxy = poll->proxy,
	    .longest_answer = LONGEST_ANSWER,
	    .plain = strncmp(poll->url, "http://", strlen("http://")) == 0,
	    .connect_timeout = poll->timeout < CONNECT_TIMEOUT ? poll->timeout : CONNECT_TIMEOUT,
	    .timeout = poll->timeout,
	    .stopping = walk->stopping,
	};
	struct step *step = memory_allocate(sizeof(*step));
	bool done = false, more = true;

	*found = (struct poll_found){0};
	step->walk = walk;
	step->found = found;
	step->since = walk->since;
	step->origin = http_client_origin(poll->url);
	step->arena = arena_new();
	step->receiver = -1;
	if (!handover_connect(&step->receiver, walk->spool_directory, error) ||
	    !http_client_new(&step->client, &settings, error))
		goto finish;
	done = true;
	while (done && more && found->pages < MOST_PAGES) {
		done = take_page(step, &more, error);
		arena_clear(step->arena);
	}
finish:
	if (step->receiver >= 0)
		(void)close(step->receiver);
	http_client_free(step->client);
	arena_free(step->arena);
	free(step);
	return done;
}
