#include "bridge/commands/event_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/commands/show.h"
#include "bridge/console/course.h"
#include "bridge/console/event_object.h"
#include "formats/mask.h"
#include "formats/memory.h"

/* ---- a line ---- */

static void
print_row(const struct event_page *page, const struct standing_event *read)
{
	const struct spool_event *stored = read->stored;
	const struct slice cells[] = {
	    stored->type,
	    event_object_masked(page->standing, stored->id),
	    event_object_masked(page->standing, stored->resource),
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

bool
event_page_line(const struct event_page *page, uint64_t sequence, struct error *error)
{
	const struct standing_event *read;

	if (!standing_read(page->standing, sequence, &read, error))
		return false;
	if (read->stored == NULL)
		return true;
	if (page->json)
		finish(event_object_line(page->standing, read), EVENT_OBJECT_CAPACITY);
	else
		print_row(page, read);
	return true;
}

/* ---- evidence and body ---- */

void
event_page_evidence(struct slice evidence)
{
	struct slice name, value;
	bool cut;

	while (event_object_header(&evidence, &name, &value, &cut)) {
		(void)fputs("  ", stdout);
		show_text(name);
		(void)fputs(": ", stdout);
		show_text(value);
		(void)puts(cut ? "..." : "");
	}
}

void
event_page_body(struct slice body, const struct standing *standing, struct arena *arena)
{
	show_lines(mask_text(body, &standing->config->mask.settings, arena));
	(void)putchar('\n');
}

/* ---- a page ---- */

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
		struct course course = {.status = STANDING_PENDING};

		if (!course_find(page->standing, read->stored, i, &course, error))
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
	    {"id", event_object_masked(page->standing, stored->id)},
	    {"type", stored->type},
	    {"resource", event_object_masked(page->standing, stored->resource)},
	    {"source", stored->source},
	    {"received", event_object_time(page->standing->arena, stored->received_at)},
	    {"occurred",
	     event_object_time(page->standing->arena, read->normal ? read->event.occurred_at : 0)},
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
	event_page_body(read->stored->body, page->standing, page->standing->arena);
	return true;
}

static bool
print_page_object(const struct event_page *page, const struct standing_event *read,
		  struct error *error)
{
	struct json_node *object;
	bool done = event_object_whole(page->standing, read, &object, error);
	size_t lines = page->standing->count * EVENT_OBJECT_CAPACITY;

	finish(object, EVENT_OBJECT_CAPACITY + lines + 6 * read->stored->body.length);
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
