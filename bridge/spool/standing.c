#include "bridge/spool/standing.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/spool/profiles.h"
#include "bridge/route.h"
#include "formats/memory.h"

static const char *const names[STANDING_STATUSES] = {
    [STANDING_PENDING] = "pending",
    [STANDING_DELIVERED] = "delivered",
    [STANDING_DEAD] = "dead",
    [STANDING_NOT_ROUTED] = "not-routed",
};

const char *
standing_name(enum standing_status status)
{
	return names[status];
}

static bool
note_dead(void *context, const struct delivery_view_letter *letter)
{
	struct standing_destination *destination = context;

	destination->dead = memory_resize_array(destination->dead, destination->dead_count + 1,
						sizeof(*destination->dead));
	destination->dead[destination->dead_count++] = letter->dead.sequence;
	return true;
}

static int
compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static bool
refresh_destination(struct standing *standing, struct standing_destination *destination,
		    struct error *error)
{
	const char *name = destination->configuration->name;
	bool known;

	destination->cursor.destination = name;
	destination->dead_count = 0;
	if (!delivery_view_cursor(standing->view, &destination->cursor, &known, error) ||
	    !delivery_view_dead(standing->view, name, 0, 0, note_dead, destination, error))
		return false;
	/* as the forwarder sees it: a cursor of another spool says nothing of this one */
	if (destination->cursor.epoch != spool_find_epoch(standing->find))
		destination->cursor.sequence = 0;
	if (destination->dead_count > 0)
		qsort(destination->dead, destination->dead_count, sizeof(*destination->dead),
		      compare);
	return true;
}

bool
standing_refresh(struct standing *standing, struct error *error)
{
	/* or one who only ever asks for the same event would gather memory */
	standing->sequence = 0;
	arena_clear(standing->arena);
	for (size_t i = 0; i < standing->count; i++)
		if (!refresh_destination(standing, &standing->destinations[i], error))
			return false;
	return true;
}

bool
standing_open_with(struct standing **out, const struct config *config, struct error *error)
{
	struct standing *standing = memory_allocate(sizeof(*standing));
	const char *directory = config->spool.directory;

	standing->arena = arena_new();
	standing->config = config;
	standing->count = standing->config->destinations_count;
	standing->destinations =
	    memory_allocate_array(standing->count, sizeof(*standing->destinations));
	for (size_t i = 0; i < standing->count; i++)
		standing->destinations[i].configuration = &standing->config->destinations[i];
	if (!spool_find_open(&standing->find, directory, error) ||
	    !spool_reader_open(&standing->reader, directory, error) ||
	    !delivery_view_open(&standing->view, directory, error) ||
	    !profiles_new(&standing->profiles, standing->config, error) ||
	    !standing_refresh(standing, error))
		goto fail;
	*out = standing;
	return true;
fail:
	standing_close(standing);
	return false;
}

bool
standing_open(struct standing **standing, const char *config_path, struct error *error)
{
	struct config *config;

	if (!config_read(&config, config_path, error))
		return false;
	if (!standing_open_with(standing, config, error)) {
		config_free(config);
		return false;
	}
	(*standing)->own = config;
	return true;
}

void
standing_close(struct standing *standing)
{
	if (standing == NULL)
		return;
	for (size_t i = 0; i < standing->count; i++)
		free(standing->destinations[i].dead);
	free(standing->destinations);
	profiles_free(standing->profiles);
	spool_reader_close(standing->reader);
	arena_free(standing->arena);
	spool_find_close(standing->find);
	delivery_view_close(standing->view);
	if (standing->own != NULL)
		config_free(standing->own);
	free(standing);
}

bool
standing_find(const struct standing *standing, const char *name, size_t *index, struct error *error)
{
	char bytes[256];
	struct text known;

	for (*index = 0; *index < standing->count; (*index)++)
		if (strcmp(standing->destinations[*index].configuration->name, name) == 0)
			return true;
	text_start(&known, bytes, sizeof(bytes) - 1);
	for (size_t i = 0; i < standing->count; i++) {
		text_append_string(&known, i == 0 ? "" : ", ");
		text_append_string(&known, standing->destinations[i].configuration->name);
	}
	bytes[known.length] = '\0';
	return error_set(error, "there is no destination %.64s; there are %s", name, bytes);
}

static bool
is_dead(const struct standing_destination *destination, uint64_t sequence)
{
	return destination->dead_count > 0 &&
	       bsearch(&sequence, destination->dead, destination->dead_count,
		       sizeof(*destination->dead), compare) != NULL;
}

bool
standing_read(struct standing *standing, uint64_t sequence, const struct standing_event **out,
	      struct error *error)
{
	struct standing_event *read = &standing->event;
	size_t count;

	*out = read;
	if (standing->sequence == sequence)
		return true;
	memset(read, 0, sizeof(*read));
	standing->sequence = 0;
	arena_clear(standing->arena);
	if (!spool_reader_next(standing->reader, sequence - 1, 1, 1, standing->arena, &read->stored,
			       &count, error))
		return false;
	if (count == 0 || read->stored->sequence != sequence) {
		read->stored = NULL;
		return true;
	}
	standing->sequence = sequence;
	read->event.source = read->stored->source;
	read->event.id = read->stored->id;
	read->event.received_at = read->stored->received_at;
	read->event.sequence = sequence;
	read->event.headers = read->stored->evidence;
	read->normal =
	    normalise_event(profiles_of(standing->profiles, read->stored->source),
			    read->stored->body, standing->arena, &read->event, &read->error);
	return true;
}

/* By what its body says; what cannot be read is the destination's, as a dead letter. */
static bool
wants_body(struct standing *standing, const struct config_destination *configuration,
	   uint64_t sequence)
{
	const struct standing_event *read;
	struct error ignored;

	return !route_reads_event(configuration) ||
	       !standing_read(standing, sequence, &read, &ignored) || !read->normal ||
	       route_wants_event(configuration, &read->event);
}

enum standing_status
standing_of(struct standing *standing, size_t destination, const struct spool_event *event)
{
	const struct standing_destination *at = &standing->destinations[destination];

	if (is_dead(at, event->sequence))
		return STANDING_DEAD;
	if (!route_wants(at->configuration, event->source, event->type,
			 profiles_type(standing->profiles, event)) ||
	    !wants_body(standing, at->configuration, event->sequence))
		return STANDING_NOT_ROUTED;
	return event->sequence <= at->cursor.sequence ? STANDING_DELIVERED : STANDING_PENDING;
}
