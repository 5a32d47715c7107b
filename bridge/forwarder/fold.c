/*
 * A row for each incident that is in its window.  A row is free when its window has
 * ended and nothing waits in it; a refused one until its last event was told.
 *
 * An event is copied with all it points to: what it is borrowed from is gone with its
 * batch, long before its window ends.
 */
#include "bridge/forwarder/fold.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "formats/memory.h"

enum { SHARE = 64 }; /* messages that a row has room for at first */

struct message {
	uint64_t start, end;
};

struct row {
	bool used;
	bool refused;
	struct incident incident;
	char type[128];         /* NUL-terminated */
	enum severity severity; /* that was told */
	int64_t until;          /* deadline_now() */
	struct event event;     /* the last that was gathered */
	char *bytes;            /* what it points to */
	struct message *messages;
	size_t first, count, capacity; /* of them */
};

struct fold {
	int64_t window;
	size_t size; /* rows that are looked at: none without a window */
	struct row rows[FOLD_ENTRIES];
};

struct fold *
fold_new(int64_t window)
{
	struct fold *fold = memory_allocate(sizeof(*fold));

	fold->window = window;
	fold->size = window > 0 ? FOLD_ENTRIES : 0;
	return fold;
}

static void
clear_row(struct row *row)
{
	free(row->bytes);
	free(row->messages);
	memset(row, 0, sizeof(*row));
}

void
fold_free(struct fold *fold)
{
	if (fold == NULL)
		return;
	for (size_t i = 0; i < fold->size; i++)
		clear_row(&fold->rows[i]);
	free(fold);
}

static size_t
waiting(const struct row *row)
{
	return row->count - row->first;
}

static bool
is_of(const struct row *row, const struct incident *incident)
{
	return row->used && !row->refused &&
	       text_slices_equal(incident_key(&row->incident), incident_key(incident));
}

static bool
is_like(const struct row *row, const struct event *event, const struct incident *incident)
{
	return is_of(row, incident) && row->incident.action == incident->action &&
	       text_slice_is(event->fields[FIELD_TYPE], row->type);
}

/* A notification of the event says what the row would have said, or that it is over. */
static bool
covers(const struct row *row, const struct event *event, const struct incident *incident)
{
	return is_of(row, incident) && (row->incident.action != incident->action ||
					text_slice_is(event->fields[FIELD_TYPE], row->type));
}

/* ---- copies ---- */

static void
copy_slice(struct slice *slice, struct text *text)
{
	const char *place = text->bytes + text->length;

	if (slice->bytes == NULL)
		return;
	text_append_slice(text, *slice);
	slice->bytes = place;
}

/* Body and headers are left behind: no notification is made of them. */
static void
keep_event(struct row *row, const struct event *event)
{
	struct event copy = *event;
	struct slice *others[] = {&copy.source, &copy.id,     &copy.family,
				  &copy.name,   &copy.action, &copy.outcome};
	enum { OTHERS = sizeof(others) / sizeof(others[0]) };
	size_t size = 1;
	struct text text;

	copy.body = copy.headers = (struct slice){NULL, 0};
	for (size_t i = 0; i < OTHERS; i++)
		size += others[i]->length;
	for (size_t i = 0; i < EVENT_FIELDS; i++)
		size += copy.fields[i].length;
	free(row->bytes);
	row->bytes = memory_allocate(size);
	text_start(&text, row->bytes, size);
	for (size_t i = 0; i < OTHERS; i++)
		copy_slice(others[i], &text);
	for (size_t i = 0; i < EVENT_FIELDS; i++)
		copy_slice(&copy.fields[i], &text);
	row->event = copy;
}

static void
keep_message(struct row *row, uint64_t start, uint64_t end)
{
	if (row->messages == NULL || row->count == row->capacity) {
		row->capacity = row->capacity * 2 + SHARE;
		row->messages =
		    memory_resize_array(row->messages, row->capacity, sizeof(*row->messages));
	}
	row->messages[row->count++] = (struct message){start, end};
}

/* ---- one event ---- */

bool
fold_take(struct fold *fold, const struct event *event, const struct incident *incident,
	  uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < fold->size; i++) {
		struct row *row = &fold->rows[i];

		if (!is_like(row, event, incident))
			continue;
		if (event->severity > row->severity ||
		    (waiting(row) == 0 && deadline_now() >= row->until))
			return false;
		keep_event(row, event);
		keep_message(row, start, end);
		return true;
	}
	return false;
}

uint64_t
fold_covered(const struct fold *fold, const struct event *event, const struct incident *incident)
{
	uint64_t count = 0;

	for (size_t i = 0; i < fold->size; i++)
		if (covers(&fold->rows[i], event, incident))
			count += waiting(&fold->rows[i]);
	return count;
}

/* One whose window has ended will do. */
static struct row *
find_free(struct fold *fold, int64_t now)
{
	for (size_t i = 0; i < fold->size; i++) {
		struct row *row = &fold->rows[i];

		if (!row->used || (waiting(row) == 0 && now >= row->until))
			return row;
	}
	return NULL;
}

void
fold_sent(struct fold *fold, const struct event *event, const struct incident *incident,
	  int64_t now)
{
	struct slice type = event->fields[FIELD_TYPE];
	struct row *row;

	for (size_t i = 0; i < fold->size; i++)
		if (covers(&fold->rows[i], event, incident))
			clear_row(&fold->rows[i]);
	row = find_free(fold, now);
	if (row == NULL || type.length >= sizeof(row->type))
		return;
	clear_row(row);
	row->used = true;
	row->incident = *incident;
	memcpy(row->type, type.bytes, type.length);
	row->severity = event->severity;
	row->until = now + fold->window;
}

/* ---- what was gathered ---- */

/* The row that is to leave next; NULL: none waits. */
static const struct row *
next_row(const struct fold *fold)
{
	const struct row *next = NULL;

	for (size_t i = 0; i < fold->size; i++) {
		const struct row *row = &fold->rows[i];

		if (row->used && !row->refused && waiting(row) > 0 &&
		    (next == NULL || row->until < next->until))
			next = row;
	}
	return next;
}

int64_t
fold_due(const struct fold *fold)
{
	const struct row *row = next_row(fold);

	return row != NULL ? row->until : INT64_MAX;
}

bool
fold_next(const struct fold *fold, struct fold_summary *summary)
{
	const struct row *row = next_row(fold);

	if (row == NULL)
		return false;
	*summary = (struct fold_summary){.event = &row->event,
					 .incident = &row->incident,
					 .count = waiting(row),
					 .place = (size_t)(row - fold->rows)};
	return true;
}

void
fold_done(struct fold *fold, const struct fold_summary *summary, int64_t now)
{
	struct row *row = &fold->rows[summary->place];

	row->first = row->count = 0;
	row->until = now + fold->window;
}

void
fold_refuse(struct fold *fold, const struct fold_summary *summary)
{
	fold->rows[summary->place].refused = true;
}

bool
fold_first(const struct fold *fold, struct fold_first *first)
{
	bool found = false;

	for (size_t i = 0; i < fold->size; i++) {
		const struct row *row = &fold->rows[i];
		const struct message *message;

		if (waiting(row) == 0)
			continue;
		message = &row->messages[row->first];
		if (found && message->start >= first->start)
			continue;
		*first = (struct fold_first){message->start, message->end, row->refused, i};
		found = true;
	}
	return found;
}

void
fold_pass(struct fold *fold, const struct fold_first *first)
{
	struct row *row = &fold->rows[first->place];

	row->first++;
	if (waiting(row) == 0)
		clear_row(row);
}
