#include "bridge/console/course.h"

#include <string.h>

#include "formats/arena.h"

enum { LONGEST_WHY = 2048 /* bytes */ };

struct looking {
	struct standing *standing;
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
	    (struct slice){arena_copy_text(looking->standing->arena, letter->dead.reason.bytes,
					   letter->dead.reason.length),
			   letter->dead.reason.length};
	return false;
}

static bool
note_dropped(void *context, const struct delivery_view_dropped *dropped)
{
	struct looking *looking = context;
	struct text text;

	if (!text_slice_is(dropped->letter.destination, looking->destination))
		return true;
	text_start(&text, arena_allocate(looking->standing->arena, LONGEST_WHY), LONGEST_WHY);
	text_append_string(&text, "by ");
	text_append_slice(&text, dropped->by);
	text_append_string(&text, ": ");
	text_append_slice(&text, dropped->because);
	looking->course->was_dropped = true;
	looking->course->dropped_at = dropped->dropped_at;
	looking->course->dropped = text_slice(&text);
	return true;
}

bool
course_find(struct standing *standing, const struct spool_event *stored, size_t destination,
	    struct course *course, struct error *error)
{
	struct delivery_view *view = standing->view;
	const char *name = standing->destinations[destination].configuration->name;
	struct looking looking = {standing, course, name};

	memset(course, 0, sizeof(*course));
	course->status = standing_of(standing, destination, stored);
	if (!delivery_view_dead(view, name, 0, stored->sequence, note_letter, &looking, error) ||
	    !delivery_view_dropped(view, stored->sequence, note_dropped, &looking, error))
		return false;
	if (course->status == STANDING_PENDING)
		return delivery_view_trouble(view, name, &course->trouble, error);
	return course->status != STANDING_DELIVERED ||
	       delivery_view_passage(view, name, stored->sequence, &course->after, &course->by,
				     error);
}
