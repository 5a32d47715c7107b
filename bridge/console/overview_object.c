/* The overview as JSON, in the order in which a person asks. */
#include "bridge/console/overview.h"

#include "bridge/console/event_object.h"
#include "bridge/version.h"

static void
write_time(struct json_node *object, const char *name, struct arena *arena, int64_t milliseconds)
{
	json_write_text(object, name, event_object_time(arena, milliseconds));
}

static void
write_unsigned(struct json_node *object, const char *name, uint64_t number)
{
	json_write_number(object, name, (int64_t)number);
}

/* ---- destinations ---- */

static struct json_node *
destination_object(const struct overview_destination *destination, struct arena *arena)
{
	enum { LONGEST_TARGET = 4200 };
	const struct format *format = destination->configuration->format;
	struct json_node *object = json_write_object();
	struct text target;

	text_start(&target, arena_allocate(arena, LONGEST_TARGET), LONGEST_TARGET);
	overview_write_target(destination->configuration, &target);
	json_write_text(object, "name", text_of(destination->configuration->name));
	json_write_text(object, "target", text_slice(&target));
	json_write_text(object, "format", text_of(format != NULL ? format->name : NULL));
	json_write_text(object, "state", text_of(overview_state_name(destination->state)));
	write_unsigned(object, "pending", destination->pending);
	json_write_number(object, "lag_seconds", destination->lag / 1000);
	write_unsigned(object, "confirmed", destination->confirmed);
	if (destination->is_counted) {
		write_unsigned(object, "sent", destination->sent);
		write_unsigned(object, "breaks", destination->breaks);
	}
	write_unsigned(object, "dead", destination->dead);
	write_unsigned(object, "failures", destination->trouble.failures);
	if (destination->trouble.text[0] != '\0')
		json_write_text(object, "last_error", text_of(destination->trouble.text));
	write_time(object, "last_error_at", arena, destination->trouble.at);
	write_time(object, "well_since", arena, destination->trouble.well_at);
	write_time(object, "retry_at", arena, destination->retry_at);
	return object;
}

static struct json_node *
destinations_array(const struct overview *overview, struct arena *arena)
{
	struct json_node *array = json_write_array();

	for (size_t i = 0; i < overview->count; i++)
		json_write_element(array, destination_object(&overview->destinations[i], arena));
	return array;
}

/* ---- sources ---- */

static struct json_node *
secrets_array(const struct overview *overview, unsigned source, struct arena *arena)
{
	const struct config_source *configuration = &overview->config->sources[source];
	struct json_node *array = json_write_array();

	for (unsigned i = 0; i < configuration->secrets_count; i++) {
		struct json_node *object = json_write_object();

		json_write_text(object, "file", text_of(configuration->secrets[i].file));
		if (overview->counters != NULL && source < COUNTERS_SOURCES &&
		    i < COUNTERS_SECRETS) {
			const struct counters_secret *secret =
			    &overview->counters->secrets[source][i];

			write_unsigned(object, "used",
				       atomic_load_explicit(&secret->used, memory_order_relaxed));
			write_time(object, "last_used_at", arena,
				   atomic_load_explicit(&secret->last_used, memory_order_relaxed));
		}
		json_write_element(array, object);
	}
	return array;
}

static struct json_node *
sources_array(const struct overview *overview, struct arena *arena)
{
	struct json_node *array = json_write_array();

	for (unsigned i = 0; i < overview->config->sources_count; i++) {
		const struct config_source *source = &overview->config->sources[i];
		struct json_node *object = json_write_object();

		json_write_text(object, "name", text_of(source->name));
		json_write_text(object, "path", text_of(source->path));
		json_write_text(object, "signature", text_of(source->signature_text));
		json_write_child(object, "secrets", secrets_array(overview, i, arena));
		json_write_element(array, object);
	}
	return array;
}

/* ---- the rest ---- */

static struct json_node *
spool_object(const struct overview *overview)
{
	struct json_node *object = json_write_object();

	if (!overview->has_spool)
		json_write_text(object, "error", text_of(overview->missing.text));
	write_unsigned(object, "events", overview->events);
	write_unsigned(object, "first", overview->first);
	write_unsigned(object, "last", overview->last);
	write_unsigned(object, "rejected", overview->rejected);
	write_unsigned(object, "bytes", overview->spool_bytes);
	write_unsigned(object, "max_bytes", overview->config->spool.max_size);
	write_unsigned(object, "free_bytes", overview->free_bytes);
	json_write_number(object, "retention_seconds", overview->config->spool.retention / 1000);
	return object;
}

static struct json_node *
counters_object(const struct counters *counters)
{
	struct json_node *object = json_write_object();

	for (int i = 0; i < COUNTERS; i++)
		write_unsigned(object, counters_name((enum counter)i),
			       atomic_load_explicit(&counters->values[i], memory_order_relaxed));
	return object;
}

static struct json_node *
replays_array(const struct overview *overview, struct arena *arena)
{
	struct json_node *array = json_write_array();

	for (size_t i = 0; i < overview->replay_count; i++) {
		const struct overview_replay *replay = &overview->replays[i];
		struct json_node *object = json_write_object();

		write_unsigned(object, "number", replay->number);
		json_write_text(object, "destination", text_of(replay->destination));
		write_unsigned(object, "first", replay->first);
		write_unsigned(object, "last", replay->last);
		write_unsigned(object, "done", replay->done);
		write_unsigned(object, "rate", replay->rate);
		write_time(object, "asked_at", arena, replay->asked_at);
		json_write_text(object, "asked_by", text_of(replay->by));
		write_time(object, "finished_at", arena, replay->finished_at);
		json_write_element(array, object);
	}
	return array;
}

struct json_node *
overview_object(const struct overview *overview, struct arena *arena)
{
	struct json_node *object = json_write_object();
	const struct counters *counters = overview->counters;

	json_write_text(object, "version", SLICE_LITERAL(VERSION));
	json_write_text(object, "host", text_of(overview->config->hostname));
	write_time(object, "now", arena, overview->now);
	json_write_boolean(object, "running", overview->running);
	if (counters != NULL)
		write_time(object, "started_at", arena,
			   atomic_load_explicit(&counters->started_at, memory_order_relaxed));
	json_write_boolean(object, "ready", overview->ready);
	if (!overview->ready)
		json_write_text(object, "reason", text_of(overview->reason.text));
	json_write_child(object, "spool", spool_object(overview));
	json_write_child(object, "destinations", destinations_array(overview, arena));
	json_write_child(object, "sources", sources_array(overview, arena));
	json_write_child(object, "replays", replays_array(overview, arena));
	if (counters != NULL)
		json_write_child(object, "counters", counters_object(counters));
	return object;
}
