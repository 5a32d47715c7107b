/*
 * A search is given a second: what it has found by then is answered, with the sequence
 * that it got to (`next`), from where the page may ask on.
 */
#include "bridge/console/console_api.h"

#include <inttypes.h>
#include <string.h>

#include "bridge/console/event_object.h"
#include "bridge/console/query.h"
#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/spool/order_find.h"
#include "bridge/spool/search.h"
#include "formats/json_read.h"

#define EVENTS "/api/events/"

enum {
	STATUS_CAPACITY = 1 << 20, /* bytes */
	LIST_CAPACITY = 4 << 20,
	LIMIT = 50, /* events */
	LIMIT_HIGHEST = 500,
	PATIENCE = 1000, /* milliseconds */
	SAME_ID = 8,     /* events */
	LETTERS = 500,
	RATE_DEFAULT = 1000, /* events a second */
	RATE_HIGHEST = 1000000,
};

/* ---- status ---- */

/* Tenths as "12.3". */
static void
write_tenths(struct json_node *object, const char *name, uint64_t tenths)
{
	char bytes[32];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	text_append_format(&text, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
	json_write_decimal(object, name, text_slice(&text));
}

static struct json_node *
points_of(const uint64_t *points, size_t count)
{
	struct json_node *array = json_write_array();

	for (size_t i = 0; i < count; i++) {
		struct json_node *point = json_write_object();

		write_tenths(point, "rate", points[i]);
		json_write_element(array, point);
	}
	return array;
}

static struct json_node *
rates_object(const struct desk *desk)
{
	struct json_node *object = json_write_object(), *out = json_write_object();
	uint64_t points[HISTORY_POINTS], total = 0;
	size_t count;

	for (size_t i = 0; i < desk->config->destinations_count; i++) {
		uint64_t rate = history_rate_out(desk->history, i);

		total += rate;
		write_tenths(out, desk->config->destinations[i].name, rate);
	}
	write_tenths(object, "in", history_rate_in(desk->history));
	write_tenths(object, "out", total);
	json_write_child(object, "destinations", out);
	json_write_number(object, "seconds_a_point", HISTORY_POINT);
	count = history_series_in(desk->history, points);
	json_write_child(object, "in_series", points_of(points, count));
	count = history_series_out(desk->history, points);
	json_write_child(object, "out_series", points_of(points, count));
	return object;
}

void
console_api_status(struct desk *desk, const struct console_request *request,
		   struct console_reply *reply)
{
	struct overview overview;
	struct json_node *document;
	struct error error;

	(void)request;
	if (!desk_overview(desk, &overview, &error)) {
		console_answer_error(reply, 503, error.text);
		return;
	}
	document = overview_object(&overview, desk->arena);
	json_write_boolean(document, "has_password", session_has_password(desk->sessions));
	json_write_child(document, "rates", rates_object(desk));
	console_answer_json(reply, 200, document, STATUS_CAPACITY);
}

/* ---- events ---- */

/* A whole number; false where something else stands there. */
static bool
number_of(struct desk *desk, const struct console_request *request, const char *name,
	  uint64_t maximum, uint64_t *number)
{
	const char *text = query_find(request->query, name, desk->arena);

	return text == NULL || text_parse_unsigned(text_of(text), maximum, number);
}

static bool
open_search(struct search *search, struct desk *desk, const struct console_request *request,
	    struct standing *standing, struct error *error)
{
	struct slice query = request->query;
	uint64_t before = 0;

	if (!search_open(search, standing, query_find(query, "destination", desk->arena),
			 query_find(query, "status", desk->arena), error))
		return false;
	search->limit = LIMIT;
	search->end = deadline_after(PATIENCE);
	search->query.id = text_of(query_find(query, "id", desk->arena));
	search->query.resource = text_of(query_find(query, "resource", desk->arena));
	search->query.source = text_of(query_find(query, "source", desk->arena));
	search->query.type = query_find(query, "type", desk->arena);
	if (!number_of(desk, request, "limit", LIMIT_HIGHEST, &search->limit) || search->limit == 0)
		return error_set(error, "limit is a number from 1 to %d", LIMIT_HIGHEST);
	if (!number_of(desk, request, "before", INT64_MAX, &before))
		return error_set(error, "before is a sequence");
	if (before > 0)
		search->query.last = before - 1;
	return true;
}

/* What was found, newest first. */
static bool
list(struct search *search, struct json_node *document, struct error *error)
{
	struct json_node *array = json_write_array();
	const struct standing_event *read;
	bool done = true;

	for (size_t i = 0; done && i < search->count; i++) {
		done = standing_read(search->standing, search->sequences[i], &read, error);
		if (done && read->stored != NULL)
			json_write_element(array, event_object_line(search->standing, read));
	}
	json_write_child(document, "events", array);
	if (search->reached > 0)
		json_write_number(document, "next", (int64_t)search->reached);
	else if (search->count == search->limit)
		json_write_number(document, "next", (int64_t)search->sequences[search->count - 1]);
	return done;
}

void
console_api_events(struct desk *desk, const struct console_request *request,
		   struct console_reply *reply)
{
	struct json_node *document = json_write_object();
	struct standing *standing;
	struct search search = {.sequences = NULL};
	struct error error;
	int status = 200;

	if (!desk_standing(desk, &standing, &error)) {
		status = 503;
	} else if (!open_search(&search, desk, request, standing, &error)) {
		status = 400;
	} else if (!search_backwards(&search, &error) || !list(&search, document, &error)) {
		status = 500;
	}
	search_close(&search);
	if (status != 200)
		json_write_text(document, "error", text_of(error.text));
	console_answer_json(reply, status, document, LIST_CAPACITY);
}

/* All of that id: two sources may have used it. */
static bool
show(struct search *search, struct json_node *document, size_t *capacity, struct error *error)
{
	struct json_node *array = json_write_array(), *object;
	const struct standing_event *read;
	bool done = search_backwards(search, error);

	for (size_t i = 0; done && i < search->count; i++) {
		done = standing_read(search->standing, search->sequences[i], &read, error);
		if (!done || read->stored == NULL)
			continue;
		done = event_object_whole(search->standing, read, &object, error);
		*capacity += EVENT_OBJECT_CAPACITY * (search->standing->count + 1) +
			     6 * read->stored->body.length;
		json_write_element(array, object);
	}
	json_write_child(document, "events", array);
	return done;
}

void
console_api_event(struct desk *desk, const struct console_request *request,
		  struct console_reply *reply)
{
	struct slice path = {request->path.bytes + sizeof(EVENTS) - 1,
			     request->path.length - (sizeof(EVENTS) - 1)};
	struct json_node *document = json_write_object();
	size_t capacity = EVENT_OBJECT_CAPACITY;
	struct search search = {.sequences = NULL};
	struct standing *standing;
	uint64_t sequence = 0;
	struct error error;
	int status = 200;

	if (!desk_standing(desk, &standing, &error)) {
		status = 503;
	} else if (!search_open(&search, standing, NULL, NULL, &error) ||
		   !number_of(desk, request, "sequence", INT64_MAX, &sequence)) {
		error_set(&error, "sequence is a number");
		status = 400;
	} else {
		search.limit = SAME_ID;
		search.end = deadline_after(PATIENCE);
		search.query.id = text_of(query_decode(path, false, desk->arena));
		if (sequence > 0) /* it says all: an id is shown masked */
			search.query = (struct spool_find_query){.since = INT64_MIN,
								 .until = INT64_MAX,
								 .first = sequence,
								 .last = sequence};
		if (!show(&search, document, &capacity, &error))
			status = 500;
		else if (search.count == 0 && !error_set(&error, "no such event is kept"))
			status = 404;
	}
	search_close(&search);
	if (status != 200)
		json_write_text(document, "error", text_of(error.text));
	console_answer_json(reply, status, document, capacity);
}

/* ---- dead letters ---- */

struct letters {
	struct standing *standing;
	struct json_node *array;
	size_t count;
};

static bool
note_letter(void *context, const struct delivery_view_letter *letter)
{
	struct letters *letters = context;
	struct json_node *object = json_write_object();

	json_write_number(object, "number", (int64_t)letter->number);
	json_write_text(object, "destination", letter->destination);
	json_write_number(object, "sequence", (int64_t)letter->dead.sequence);
	json_write_text(object, "died_at",
			event_object_time(letters->standing->arena, letter->dead.died_at));
	json_write_text(object, "id", event_object_masked(letters->standing, letter->dead.id));
	json_write_text(object, "type", letter->dead.type);
	json_write_text(object, "reason", letter->dead.reason);
	json_write_boolean(object, "in_replay", letter->replay > 0);
	json_write_element(letters->array, object);
	return ++letters->count < LETTERS;
}

void
console_api_dead(struct desk *desk, const struct console_request *request,
		 struct console_reply *reply)
{
	struct json_node *document = json_write_object();
	struct letters letters = {.array = json_write_array()};
	uint64_t rejected = 0;
	struct error error;
	int status = 200;

	if (!desk_standing(desk, &letters.standing, &error) ||
	    !delivery_view_dead(letters.standing->view,
				query_find(request->query, "destination", desk->arena), 0, 0,
				note_letter, &letters, &error) ||
	    !spool_find_rejected_count(letters.standing->find, &rejected, &error))
		status = 503;
	json_write_child(document, "dead", letters.array);
	json_write_number(document, "rejected", (int64_t)rejected);
	if (status != 200)
		json_write_text(document, "error", text_of(error.text));
	console_answer_json(reply, status, document, LIST_CAPACITY);
}

/* ---- replay ---- */

/* What is wanted: {"destination": "siem", "from": 5, "to": 10, "type": "key.*", "rate": 100} */
struct wanted {
	char destination[ORDER_BY + 1];
	char type[256]; /* empty: any */
	uint64_t from, to, rate;
};

static bool
take_text(struct slice from, char *to, size_t size)
{
	if (from.bytes == NULL || from.length == 0 || from.length >= size ||
	    memchr(from.bytes, '\0', from.length) != NULL)
		return false;
	memcpy(to, from.bytes, from.length);
	to[from.length] = '\0';
	return true;
}

static bool
take_member(struct wanted *wanted, const struct json_member *member, struct error *error)
{
	struct slice text = json_read_string(member->value);
	bool taken = false;

	if (text_slice_is(member->name, "destination"))
		taken = take_text(text, wanted->destination, sizeof(wanted->destination));
	else if (text_slice_is(member->name, "type"))
		taken = take_text(text, wanted->type, sizeof(wanted->type));
	else if (text_slice_is(member->name, "from"))
		taken = json_read_unsigned(member->value, INT64_MAX, &wanted->from);
	else if (text_slice_is(member->name, "to"))
		taken = json_read_unsigned(member->value, INT64_MAX, &wanted->to);
	else if (text_slice_is(member->name, "rate"))
		taken = json_read_unsigned(member->value, RATE_HIGHEST, &wanted->rate);
	return taken || error_set(error, "%.*s is not known here, or not of its kind",
				  (int)member->name.length, member->name.bytes);
}

static bool
read_wanted(struct wanted *wanted, struct slice body, struct error *error)
{
	struct json_value *document = NULL;
	struct json_member member;
	bool done = true;

	*wanted = (struct wanted){.rate = RATE_DEFAULT};
	if (!json_read(&document, body, error))
		return false;
	for (bool more = json_read_first(document, &member); more && done;
	     more = json_read_next(&member))
		done = take_member(wanted, &member, error);
	json_read_free(document);
	if (!done)
		return false;
	if (wanted->destination[0] == '\0')
		return error_set(error, "say which destination");
	return (wanted->from > 0 && wanted->to >= wanted->from) ||
	       error_set(error, "say which events: from and to, sequences");
}

static bool
give_order(const struct desk *desk, struct standing *standing, const struct wanted *wanted,
	   struct json_node *document, struct error *error)
{
	struct order order = {.action = ORDER_REPLAY, .rate = wanted->rate};
	struct spool_find_query query = spool_find_everything();
	uint64_t events;
	size_t index;
	bool done;

	query.first = wanted->from;
	query.last = wanted->to;
	query.type = wanted->type[0] != '\0' ? wanted->type : NULL;
	memcpy(order.destination, wanted->destination, sizeof(order.destination));
	order.at = deadline_wall();
	(void)take_text(SLICE_LITERAL("console"), order.by, sizeof(order.by));
	done = standing_find(standing, wanted->destination, &index, error) &&
	       config_takes_replays(standing->destinations[index].configuration, error) &&
	       order_find(&order, standing->find, &query, &events, error) &&
	       order_put(desk->config->spool.directory, &order, error);
	if (done) {
		json_write_number(document, "events", (int64_t)events);
		log_info("console",
			 "replay of %" PRIu64 " events (%" PRIu64 " to %" PRIu64
			 ") to %s was ordered",
			 events, wanted->from, wanted->to, wanted->destination);
	}
	order_free(&order);
	return done;
}

void
console_api_replay(struct desk *desk, const struct console_request *request,
		   struct console_reply *reply)
{
	struct json_node *document;
	struct standing *standing;
	struct wanted wanted;
	struct error error;

	if (!session_has_password(desk->sessions)) {
		console_answer_error(
		    reply, 403, "a replay needs console.password_file; or use: siembridge replay");
		return;
	}
	if (!read_wanted(&wanted, request->body, &error)) {
		console_answer_error(reply, 400, error.text);
		return;
	}
	if (!desk_standing(desk, &standing, &error)) {
		console_answer_error(reply, 503, error.text);
		return;
	}
	document = json_write_object();
	if (give_order(desk, standing, &wanted, document, &error)) {
		console_answer_json(reply, 202, document, STATUS_CAPACITY);
		return;
	}
	json_write_text(document, "error", text_of(error.text));
	console_answer_json(reply, 409, document, STATUS_CAPACITY);
}
