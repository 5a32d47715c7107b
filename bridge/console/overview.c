#include "bridge/console/overview.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "bridge/deadline.h"
#include "bridge/http_client.h"

enum { RECENT = 3600 * 1000 /* ms: a finished replay is still shown */, LONGEST_PATH = 4200 };

static const char *const state_names[OVERVIEW_STATES] = {
    [OVERVIEW_WELL] = "well",
    [OVERVIEW_FAILING] = "failing",
    [OVERVIEW_HELD] = "held",
};

const char *
overview_state_name(enum overview_state state)
{
	return state_names[state];
}

static uint64_t
load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static int64_t
load_time(const _Atomic int64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

void
overview_write_target(const struct config_destination *destination, struct text *text)
{
	const struct config_syslog *syslog = destination->syslog;
	const struct config_several *several = config_several_of(destination);
	const char *address = config_several_address(destination, 0);

	if (syslog != NULL) {
		text_append_format(text, "syslog %s %s",
				   syslog->transport_text != NULL ? syslog->transport_text : "tcp",
				   address);
	} else if (destination->file != NULL) {
		text_append_format(text, "file %s", destination->file->path);
	} else if (destination->email != NULL) {
		text_append_format(text, "email by %s", destination->email->server);
	} else if (destination->splunk_hec != NULL) {
		text_append_string(text, "splunk_hec ");
		text_append_slice(text, http_client_origin(address));
	} else if (destination->http != NULL) {
		text_append_string(text, config_vendor_name(destination->http->vendor));
		if (destination->http->url != NULL) {
			text_append_byte(text, ' ');
			text_append_slice(text, http_client_origin(destination->http->url));
		}
	}
	if (several != NULL && several->count > 1)
		text_append_format(text, " and %u more", several->count - 1);
}

/* ---- the spool ---- */

static uint64_t
size_of(const char *directory, const char *name)
{
	char path[LONGEST_PATH];
	struct text text;
	struct stat status;

	text_start(&text, path, sizeof(path));
	text_append_format(&text, "%s/%s", directory, name);
	text_append_byte(&text, '\0');
	return !text.overflowed && stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static bool
read_spool(struct overview *overview, struct standing *standing, struct error *error)
{
	const char *directory = overview->config->spool.directory;
	struct statvfs status;

	if (statvfs(directory, &status) == 0)
		overview->free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
	overview->spool_bytes = size_of(directory, "spool.db") + size_of(directory, "spool.db-wal");
	if (standing == NULL)
		return true;
	overview->has_spool = true;
	if (!standing_refresh(standing, error) ||
	    !spool_find_range(standing->find, &overview->first, &overview->last, error) ||
	    !spool_find_rejected_count(standing->find, &overview->rejected, error))
		return false;
	overview->events = overview->last > 0 ? overview->last - overview->first + 1 : 0;
	return true;
}

/* ---- destinations ---- */

static void
read_counters(struct overview *overview, size_t index)
{
	const struct counters_destination *counters = &overview->counters->destinations[index];
	struct overview_destination *to = &overview->destinations[index];
	uint64_t confirmed = load(&counters->confirmed);

	/* the cursor on disk lags a little */
	if (confirmed > to->confirmed && confirmed <= overview->last)
		to->confirmed = confirmed;
	to->is_counted = true;
	to->sent = load(&counters->sent);
	to->breaks = load(&counters->breaks);
	to->retry_at = load_time(&counters->retry_at);
	if (load(&counters->held) != 0)
		to->state = OVERVIEW_HELD;
	else if (to->retry_at != 0)
		to->state = OVERVIEW_FAILING;
}

static bool
read_destination(struct overview *overview, struct standing *standing, size_t index,
		 struct error *error)
{
	const struct standing_destination *at = &standing->destinations[index];
	struct overview_destination *to = &overview->destinations[index];
	int64_t oldest = 0;

	to->dead = at->dead_count;
	to->confirmed = at->cursor.sequence;
	if (!delivery_view_trouble(standing->view, at->configuration->name, &to->trouble, error))
		return false;
	if (to->trouble.failures > 0)
		to->state = OVERVIEW_FAILING;
	if (overview->running)
		read_counters(overview, index);
	if (to->confirmed >= overview->last)
		return true;
	to->pending = overview->last - to->confirmed;
	if (to->pending > overview->events)
		to->pending = overview->events;
	if (!spool_find_received_at(standing->find, to->confirmed + 1, &oldest, error))
		return false;
	if (oldest > 0 && oldest < overview->now)
		to->lag = overview->now - oldest;
	return true;
}

/* ---- replays ---- */

static void
keep(char *to, size_t size, struct slice from)
{
	size_t length = from.length < size ? from.length : size - 1;

	if (length > 0)
		memcpy(to, from.bytes, length);
	to[length] = '\0';
}

/* The last ones are kept: those before are not under way any more. */
static bool
note_replay(void *context, const struct delivery_view_replay *replay)
{
	struct overview *overview = context;
	struct overview_replay *to;

	if (replay->finished_at != 0 && overview->now - replay->finished_at > RECENT)
		return true;
	if (overview->replay_count == OVERVIEW_REPLAYS) {
		memmove(overview->replays, overview->replays + 1,
			(OVERVIEW_REPLAYS - 1) * sizeof(overview->replays[0]));
		overview->replay_count--;
	}
	to = &overview->replays[overview->replay_count++];
	*to = (struct overview_replay){
	    .number = replay->number,
	    .first = replay->first,
	    .last = replay->last,
	    .done = replay->done,
	    .rate = replay->rate,
	    .asked_at = replay->asked_at,
	    .finished_at = replay->finished_at,
	};
	keep(to->destination, sizeof(to->destination), replay->destination);
	keep(to->by, sizeof(to->by), replay->asked_by);
	return true;
}

/* ---- readiness ---- */

static void
judge(struct overview *overview, int64_t beat)
{
	const struct counters *counters = overview->counters;
	int64_t alive, full;

	overview->ready = false;
	if (!overview->running) {
		error_set(&overview->reason, "no siembridge runs");
		return;
	}
	alive = load_time(&counters->beats[COUNTERS_LIFE_RECEIVER]);
	full = load_time(&counters->full_at);
	if (alive == 0 || beat - alive > OVERVIEW_FRESH)
		error_set(&overview->reason,
			  "the receiver has shown no sign of life for %lld s; "
			  "see the log",
			  alive == 0 ? 0LL : (long long)(beat - alive) / 1000);
	else if (full != 0 && beat - full < OVERVIEW_FRESH)
		error_set(&overview->reason,
			  "the spool has no room: raise spool.max_size or free the disk");
	else if (overview->free_bytes == 0)
		error_set(&overview->reason, "the disk of %s is full",
			  overview->config->spool.directory);
	else
		overview->ready = true;
}

bool
overview_read(struct overview *overview, const struct overview_sources *sources,
	      struct error *error)
{
	struct standing *standing = sources->standing;

	memset(overview, 0, sizeof(*overview));
	overview->config = sources->config;
	overview->counters = sources->counters;
	overview->running = sources->running && sources->counters != NULL;
	overview->now = deadline_wall();
	overview->count = sources->config->destinations_count;
	if (overview->count > COUNTERS_DESTINATIONS)
		overview->count = COUNTERS_DESTINATIONS;
	for (size_t i = 0; i < overview->count; i++)
		overview->destinations[i].configuration = &sources->config->destinations[i];
	overview->missing = sources->missing;
	if (!read_spool(overview, standing, error))
		return false;
	for (size_t i = 0; standing != NULL && i < overview->count; i++)
		if (!read_destination(overview, standing, i, error))
			return false;
	if (standing != NULL &&
	    !delivery_view_replays(standing->view, NULL, note_replay, overview, error))
		return false;
	judge(overview, sources->beat);
	return true;
}
