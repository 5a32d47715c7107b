#include "bridge/commands/event_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/commands/show.h"
#include "formats/json_write.h"
#include "formats/mask.h"
#include "formats/memory.h"
#include "formats/timestamp.h"

enum {
	SIGNATURE_SHOWN = 12,        /* bytes of its beginning */
	LINE_CAPACITY = 1024 * 1024, /* bytes of a line of JSON without the body */
	TIME_CAPACITY = 40,          /* bytes */
};

static struct slice
masked(const struct event_page *page, struct slice value)
{
	return value.bytes != NULL ? mask_text(value, page->standing->arena) : value;
}

static struct slice
time_text(const struct event_page *page, int64_t milliseconds)
{
	struct text text;

	if (milliseconds == 0)
		return (struct slice){NULL, 0};
	text_start(&text, arena_allocate(page->standing->arena, TIME_CAPACITY), TIME_CAPACITY);
	timestamp_write_rfc3339(&text, milliseconds);
	return text_slice(&text);
}

/* ---- a line ---- */

static void
print_row(const struct event_page *page, const struct standing_event *read)
{
	const struct spool_event *stored = read->stored;
	const struct slice cells[] = {
	    stored->type,
	    masked(page, stored->id),
	    masked(page, stored->resource),
	    stored->source,
	};

	(void)printf("%" PRIu64 "  ", stored->sequence);
	show_time(stored->received_at);
	(void)fputs("  ", stdout);
	show_time(read->normal ? read->event.occurred_at : 0);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		(void)fputs("  ", stdout);
		show_text(cells[i]);
	}
	for (size_t i = 0; i < page->standing->count; i++)
		(void)printf("  %s=%s", page->standing->destinations[i].configuration->name,
			     standing_name(standing_of(page->standing, i, stored)));
	(void)putchar('\n');
}

static struct json_node *
object_of(const struct event_page *page, const struct standing_event *read)
{
	const struct spool_event *stored = read->stored;
	struct json_node *object = json_write_object();

	json_write_number(object, "sequence", (int64_t)stored->sequence);
	json_write_text(object, "received_at", time_text(page, stored->received_at));
	json_write_text(object, "occurred_at",
			time_text(page, read->normal ? read->event.occurred_at : 0));
	json_write_text(object, "type", stored->type);
	json_write_text(object, "id", masked(page, stored->id));
	json_write_text(object, "resource", masked(page, stored->resource));
	json_write_text(object, "source", stored->source);
	return object;
}

static void
finish(struct json_node *object, size_t capacity)
{
	struct text text;

	text_start(&text, memory_allocate(capacity), capacity);
	json_write_finish(object, &text);
	if (!text.overflowed)
		(void)fwrite(text.bytes, 1, text.length, stdout);
	(void)putchar('\n');
	free(text.bytes);
}

static void
print_object(const struct event_page *page, const struct standing_event *read)
{
	struct json_node *object = object_of(page, read), *statuses = json_write_object();

	for (size_t i = 0; i < page->standing->count; i++)
		json_write_text(
		    statuses, page->standing->destinations[i].configuration->name,
		    text_of(standing_name(standing_of(page->standing, i, read->stored))));
	json_write_child(object, "destinations", statuses);
	finish(object, LINE_CAPACITY);
}

bool
event_page_line(const struct event_page *page, uint64_t sequence, struct error *error)
{
	const struct standing_event *read;

	if (!standing_read(page->standing, sequence, &read, error))
		return false;
	if (read->stored == NULL)
		return true;
	if (page->json)
		print_object(page, read);
	else
		print_row(page, read);
	return true;
}

/* ---- evidence and body ---- */

/* The next "name: value" line of the evidence; false: there is none. */
static bool
next_header(struct slice *evidence, struct slice *name, struct slice *value)
{
	const char *end, *colon;

	if (evidence->length == 0)
		return false;
	end = memchr(evidence->bytes, '\n', evidence->length);
	*name = *evidence;
	if (end != NULL)
		name->length = (size_t)(end - evidence->bytes);
	evidence->bytes += name->length + (end != NULL);
	evidence->length -= name->length + (end != NULL);
	*value = (struct slice){name->bytes + name->length, 0};
	colon = memchr(name->bytes, ':', name->length);
	if (colon != NULL) {
		*value =
		    (struct slice){colon + 1, (size_t)(name->bytes + name->length - colon) - 1};
		name->length = (size_t)(colon - name->bytes);
	}
	while (value->length > 0 && value->bytes[0] == ' ') {
		value->bytes++;
		value->length--;
	}
	return true;
}

static bool
is_signature(struct slice name)
{
	static const char word[] = "signature";

	for (size_t i = 0; i + sizeof(word) - 1 <= name.length; i++)
		if (strncasecmp(name.bytes + i, word, sizeof(word) - 1) == 0)
			return true;
	return text_slice_is(name, "x-shopify-hmac-sha256") || text_slice_is(name, "authorization");
}

/* Whole signatures are nobody's need; the beginning tells two of them apart. */
static struct slice
shorten(struct slice name, struct slice value)
{
	if (is_signature(name) && value.length > SIGNATURE_SHOWN)
		value.length = SIGNATURE_SHOWN;
	return value;
}

void
event_page_evidence(struct slice evidence)
{
	struct slice name, value;

	while (next_header(&evidence, &name, &value)) {
		struct slice shown = shorten(name, value);

		(void)fputs("  ", stdout);
		show_text(name);
		(void)fputs(": ", stdout);
		show_text(shown);
		(void)puts(shown.length < value.length ? "..." : "");
	}
}

void
event_page_body(struct slice body, struct arena *arena)
{
	show_lines(mask_text(body, arena));
	(void)putchar('\n');
}

/* ---- a page ---- */

/* What there is to say of an event at one destination. */
struct course {
	enum standing_status status;
	bool has_letter;
	uint64_t number; /* of the dead letter */
	int64_t died_at;
	struct slice reason; /* in the arena */
	bool was_dropped;
	struct slice dropped; /* who and why; in the arena */
	int64_t dropped_at;
	int64_t after, by; /* delivered between */
	struct delivery_view_trouble trouble;
};

struct looking {
	const struct event_page *page;
	struct course *course;
	const char *destination;
};

static bool
note_letter(void *context, const struct delivery_view_letter *letter)
{
	struct looking *looking = context;
	struct course *course = looking->course;

	course->has_letter = true;
	course->number = letter->number;
	course->died_at = letter->dead.died_at;
	course->reason =
	    (struct slice){arena_copy_text(looking->page->standing->arena,
					   letter->dead.reason.bytes, letter->dead.reason.length),
			   letter->dead.reason.length};
	return false;
}

static bool
note_dropped(void *context, const struct delivery_view_dropped *dropped)
{
	enum { CAPACITY = 2048 };
	struct looking *looking = context;
	struct text text;

	if (!text_slice_is(dropped->letter.destination, looking->destination))
		return true;
	text_start(&text, arena_allocate(looking->page->standing->arena, CAPACITY), CAPACITY);
	text_append_string(&text, "by ");
	text_append_slice(&text, dropped->by);
	text_append_string(&text, ": ");
	text_append_slice(&text, dropped->because);
	looking->course->was_dropped = true;
	looking->course->dropped_at = dropped->dropped_at;
	looking->course->dropped = text_slice(&text);
	return true;
}

static bool
follow(const struct event_page *page, const struct spool_event *stored, size_t destination,
       struct course *course, struct error *error)
{
	struct delivery_view *view = page->standing->view;
	const char *name = page->standing->destinations[destination].configuration->name;
	struct looking looking = {page, course, name};

	memset(course, 0, sizeof(*course));
	course->status = standing_of(page->standing, destination, stored);
	if (!delivery_view_dead(view, name, 0, stored->sequence, note_letter, &looking, error) ||
	    !delivery_view_dropped(view, stored->sequence, note_dropped, &looking, error))
		return false;
	if (course->status == STANDING_PENDING)
		return delivery_view_trouble(view, name, &course->trouble, error);
	return course->status != STANDING_DELIVERED ||
	       delivery_view_passage(view, name, stored->sequence, &course->after, &course->by,
				     error);
}

static void
print_course(const struct course *course)
{
	if (course->status == STANDING_DELIVERED && course->by != 0) {
		(void)fputs(", confirmed by ", stdout);
		show_time(course->by);
	}
	if (course->has_letter) {
		(void)printf(", dead letter %" PRIu64 " since ", course->number);
		show_time(course->died_at);
		(void)fputs(": ", stdout);
		show_text(course->reason);
	}
	if (course->was_dropped) {
		(void)fputs(", dropped at ", stdout);
		show_time(course->dropped_at);
		(void)putchar(' ');
		show_text(course->dropped);
	}
	if (course->trouble.failures > 0) {
		(void)printf(", %" PRIu64 " attempts failed in a row, the last at ",
			     course->trouble.failures);
		show_time(course->trouble.at);
		(void)fputs(": ", stdout);
		show_text(text_of(course->trouble.text));
	}
}

static bool
print_courses(const struct event_page *page, const struct standing_event *read, struct error *error)
{
	(void)puts("destinations");
	for (size_t i = 0; i < page->standing->count; i++) {
		struct course course;

		if (!follow(page, read->stored, i, &course, error))
			return false;
		(void)printf("  %s: %s", page->standing->destinations[i].configuration->name,
			     standing_name(course.status));
		print_course(&course);
		(void)putchar('\n');
	}
	return true;
}

static void
print_head(const struct event_page *page, const struct standing_event *read)
{
	const struct spool_event *stored = read->stored;
	const struct {
		const char *name;
		struct slice value;
	} rows[] = {
	    {"id", masked(page, stored->id)},
	    {"type", stored->type},
	    {"resource", masked(page, stored->resource)},
	    {"source", stored->source},
	    {"received", time_text(page, stored->received_at)},
	    {"occurred", time_text(page, read->normal ? read->event.occurred_at : 0)},
	};

	(void)printf("%-10s%" PRIu64 "\n", "sequence", stored->sequence);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)printf("%-10s", rows[i].name);
		show_text(rows[i].value);
		(void)putchar('\n');
	}
	if (!stored->intact)
		(void)puts("damaged   its row was changed on disk: it does not fit the hash chain");
}

static void
print_fields(const struct standing_event *read)
{
	if (!read->normal) {
		(void)printf("fields\n  it cannot be normalised: %s\n", read->error.text);
		return;
	}
	(void)puts("fields");
	for (int i = 0; i < EVENT_FIELDS; i++) {
		if (read->event.fields[i].bytes == NULL)
			continue;
		(void)printf("  %s: ", event_field_name((enum event_field)i));
		show_text(read->event.fields[i]);
		(void)putchar('\n');
	}
}

static bool
print_page(const struct event_page *page, const struct standing_event *read, struct error *error)
{
	print_head(page, read);
	(void)puts("evidence");
	event_page_evidence(read->stored->evidence);
	print_fields(read);
	if (!print_courses(page, read, error))
		return false;
	(void)puts("body");
	event_page_body(read->stored->body, page->standing->arena);
	return true;
}

/* ---- a page as JSON ---- */

static struct json_node *
course_object(const struct event_page *page, const struct course *course, const char *name)
{
	struct json_node *object = json_write_object();

	json_write_text(object, "name", text_of(name));
	json_write_text(object, "status", text_of(standing_name(course->status)));
	json_write_text(object, "confirmed_after", time_text(page, course->after));
	json_write_text(object, "confirmed_by", time_text(page, course->by));
	if (course->has_letter) {
		json_write_number(object, "dead_letter", (int64_t)course->number);
		json_write_text(object, "died_at", time_text(page, course->died_at));
		json_write_text(object, "reason", course->reason);
	}
	if (course->was_dropped) {
		json_write_text(object, "dropped_at", time_text(page, course->dropped_at));
		json_write_text(object, "dropped", course->dropped);
	}
	if (course->trouble.failures > 0) {
		json_write_number(object, "failed_attempts", (int64_t)course->trouble.failures);
		json_write_text(object, "last_error", text_of(course->trouble.text));
		json_write_text(object, "last_error_at", time_text(page, course->trouble.at));
	}
	return object;
}

static bool
add_courses(const struct event_page *page, const struct standing_event *read,
	    struct json_node *object, struct error *error)
{
	struct json_node *array = json_write_array();
	bool done = true;

	for (size_t i = 0; done && i < page->standing->count; i++) {
		struct course course;

		done = follow(page, read->stored, i, &course, error);
		if (done)
			json_write_element(
			    array,
			    course_object(page, &course,
					  page->standing->destinations[i].configuration->name));
	}
	json_write_child(object, "destinations", array);
	return done;
}

static struct json_node *
evidence_object(const struct event_page *page, struct slice evidence)
{
	struct json_node *array = json_write_array();
	struct slice name, value;

	while (next_header(&evidence, &name, &value)) {
		struct json_node *header = json_write_object();

		json_write_text(header, "name", masked(page, name));
		json_write_text(header, "value", shorten(name, value));
		json_write_element(array, header);
	}
	return array;
}

static bool
print_page_object(const struct event_page *page, const struct standing_event *read,
		  struct error *error)
{
	struct json_node *object = object_of(page, read), *fields = json_write_object();
	bool done;

	json_write_boolean(object, "intact", read->stored->intact);
	json_write_child(object, "evidence", evidence_object(page, read->stored->evidence));
	for (int i = 0; read->normal && i < EVENT_FIELDS; i++)
		json_write_text(fields, event_field_name((enum event_field)i),
				read->event.fields[i]);
	json_write_child(object, "fields", fields);
	if (!read->normal)
		json_write_text(object, "not_normalised", text_of(read->error.text));
	done = add_courses(page, read, object, error);
	json_write_text(object, "body", masked(page, read->stored->body));
	finish(object, LINE_CAPACITY + 6 * read->stored->body.length);
	return done;
}

bool
event_page_whole(const struct event_page *page, uint64_t sequence, struct error *error)
{
	const struct standing_event *read;

	if (!standing_read(page->standing, sequence, &read, error))
		return false;
	if (read->stored == NULL)
		return true;
	return page->json ? print_page_object(page, read, error) : print_page(page, read, error);
}
