/*
 * The types of the catalogue are tried one by one.  Of types that nobody knows yet
 * only those are sure to arrive whose glob, read as a text, a destination's glob
 * matches: whatever the one stands for the other one takes.
 */
#include "bridge/commands/reach.h"

#include <string.h>

#include "bridge/route.h"
#include "formats/catalogue.h"
#include "formats/glob.h"

/* What a source may send. */
struct reach {
	const struct config *config;
	struct slice source;
	char *const *events; /* globs */
	size_t count;
};

static bool
is_glob(const char *type)
{
	return strchr(type, '*') != NULL;
}

static bool
arrives(const struct reach *reach, const char *type)
{
	for (unsigned i = 0; i < reach->config->destinations_count; i++)
		if (route_can_want(&reach->config->destinations[i], reach->source, text_of(type)))
			return true;
	return false;
}

static void
add(struct text *lost, const char *type)
{
	text_append_string(lost, lost->length > 0 ? ", " : "");
	text_append_string(lost, type);
}

/* What the bridge tells of its sources is no event of any of them. */
static bool
is_of_another(const struct reach *reach, const char *type)
{
	return strncmp(type, "source.", strlen("source.")) == 0 &&
	       !text_slice_is(reach->source, CONFIG_SOURCE_OWN);
}

static void
find_lost(const struct reach *reach, struct text *lost)
{
	const struct catalogue_entry *entry;

	for (size_t i = 0; (entry = catalogue_at(i)) != NULL; i++)
		if (!is_glob(entry->type) && !is_of_another(reach, entry->type) &&
		    glob_any(reach->events, reach->count, text_of(entry->type)) &&
		    !arrives(reach, entry->type))
			add(lost, entry->type);
	for (size_t i = 0; i < reach->count; i++) {
		const char *type = reach->events[i];

		/* a literal type of the catalogue was looked at already */
		if (!is_glob(type) && !is_glob(catalogue_find(text_of(type))->type))
			continue;
		if (!arrives(reach, type))
			add(lost, type);
	}
}

static void
check_source(const struct reach *reach, void (*warn)(void *context, const char *text),
	     void *context)
{
	char bytes[384];
	struct text lost;
	struct error line;

	text_start(&lost, bytes, sizeof(bytes));
	find_lost(reach, &lost);
	if (lost.length == 0)
		return;
	error_set(&line,
		  "source %.*s: no destination wants %.*s%s; such events are stored and go nowhere",
		  (int)reach->source.length, reach->source.bytes, (int)lost.length, lost.bytes,
		  lost.overflowed ? " and others" : "");
	warn(context, line.text);
}

void
reach_check(const struct config *config, void (*warn)(void *context, const char *text),
	    void *context)
{
	static char invalid[] = "webhook.signature_invalid", silent[] = "source.silent";
	char *own[2] = {NULL};
	struct reach reach = {
	    .config = config, .source = text_of(CONFIG_SOURCE_OWN), .events = own};
	bool reports = false, watches = false;

	for (unsigned i = 0; i < config->sources_count; i++) {
		reports = reports || config->sources[i].report_invalid;
		watches = watches || config->sources[i].silence > 0;
	}
	if (reports)
		own[reach.count++] = invalid;
	if (watches)
		own[reach.count++] = silent;
	check_source(&reach, warn, context);
	for (unsigned i = 0; i < config->sources_count; i++) {
		reach.source = text_of(config->sources[i].name);
		reach.events = config->sources[i].events;
		reach.count = config->sources[i].events_count;
		check_source(&reach, warn, context);
	}
}
