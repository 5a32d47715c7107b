#include "bridge/console/console_metrics.h"

#include <inttypes.h>
#include <string.h>

#include "bridge/version.h"

/* What counters_name() counts, for the HELP line; one without stands under its name. */
static const char *const helps[COUNTERS] = {
    [COUNTER_CONNECTIONS] = "Connections accepted.",
    [COUNTER_REQUESTS] = "Whole requests, refused ones too.",
    [COUNTER_ACCEPTED] = "Requests answered 202 whose event was stored.",
    [COUNTER_DUPLICATES] = "Requests answered 202 whose event was known already.",
    [COUNTER_NOT_SUBSCRIBED] = "Requests answered 202 whose type no source subscribes to.",
    [COUNTER_SIGNATURE_INVALID] = "Requests answered 401: signature or its time is wrong.",
    [COUNTER_REJECTED] = "Requests with a good signature whose body is no event; kept.",
    [COUNTER_REFUSED] = "Requests answered with another 4xx.",
    [COUNTER_UNAVAILABLE] = "Requests answered 503: nothing could be stored.",
    [COUNTER_COMMITS] = "Transactions of the spool.",
    [COUNTER_RESTARTS] = "Processes that died and were started anew.",
    [COUNTER_CHALLENGES] = "Challenges of senders answered.",
    [COUNTER_REPLAYS] = "Known bodies under a new id that no signature covers; kept.",
    [COUNTER_CONFLICTS] = "Known ids with another body that no signature covers; kept.",
    [COUNTER_TURNED_AWAY] = "Connections closed at once: a limit of connections was reached.",
    [COUNTER_RATE_LIMITED] = "Requests answered 429.",
    [COUNTER_POLLED] = "Events stored that no webhook had brought, found by polling.",
    [COUNTER_UNROUTED] = "Stored events that no destination wants.",
};

static void
head(struct text *text, const char *name, const char *type, const char *help)
{
	text_append_format(text, "# HELP siembridge_%s %s\n# TYPE siembridge_%s %s\n", name, help,
			   name, type);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void
value_of(struct text *text, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			text_append_byte(text, '\\');
		if (*value == '\n')
			text_append_string(text, "\\n");
		else
			text_append_byte(text, *value);
	}
}

static void
number(struct text *text, const char *name, uint64_t value)
{
	text_append_format(text, "siembridge_%s %" PRIu64 "\n", name, value);
}

static void
gauge(struct text *text, const char *name, const char *help, uint64_t value)
{
	head(text, name, "gauge", help);
	number(text, name, value);
}

/* Milliseconds as seconds. */
static void
seconds(struct text *text, int64_t milliseconds)
{
	text_append_format(text, " %" PRId64 ".%03" PRId64 "\n", milliseconds / 1000,
			   milliseconds % 1000);
}

static void
write_counters(struct text *text, const struct counters *counters)
{
	for (int i = 0; i < COUNTERS; i++) {
		const char *name = counters_name((enum counter)i);

		head(text, name, "counter", helps[i] != NULL ? helps[i] : name);
		number(text, name,
		       atomic_load_explicit(&counters->values[i], memory_order_relaxed));
	}
	head(text, "start_time_seconds", "gauge", "When the supervisor started, Unix time.");
	text_append_string(text, "siembridge_start_time_seconds");
	seconds(text, atomic_load_explicit(&counters->started_at, memory_order_relaxed));
}

/* ---- destinations ---- */

static uint64_t
is_well(const struct overview_destination *destination)
{
	return destination->state == OVERVIEW_WELL;
}

static uint64_t
is_held(const struct overview_destination *destination)
{
	return destination->state == OVERVIEW_HELD;
}

static uint64_t
sent(const struct overview_destination *destination)
{
	return destination->sent;
}

static uint64_t
breaks(const struct overview_destination *destination)
{
	return destination->breaks;
}

static uint64_t
confirmed(const struct overview_destination *destination)
{
	return destination->confirmed;
}

static uint64_t
pending(const struct overview_destination *destination)
{
	return destination->pending;
}

static uint64_t
dead(const struct overview_destination *destination)
{
	return destination->dead;
}

static uint64_t
lag(const struct overview_destination *destination)
{
	return (uint64_t)destination->lag / 1000;
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	uint64_t (*value)(const struct overview_destination *destination);
} rows[] = {
    {"destination_up", "gauge", "1: its last attempt went well.", is_well},
    {"destination_held", "gauge", "1: it waits for somebody who mends it.", is_held},
    {"destination_sent_total", "counter", "Messages sent, repeated ones too.", sent},
    {"destination_breaks_total", "counter", "Connections lost or refused.", breaks},
    {"destination_confirmed_sequence", "gauge", "Sequence up to which all is confirmed.",
     confirmed},
    {"destination_pending_events", "gauge", "Stored events behind that sequence.", pending},
    {"destination_lag_seconds", "gauge", "Age of the oldest of them.", lag},
    {"destination_dead_letters", "gauge", "Events that can never be delivered there.", dead},
};

static void
write_destinations(struct text *text, const struct overview *overview)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		head(text, rows[i].name, rows[i].type, rows[i].help);
		for (size_t j = 0; j < overview->count; j++)
			text_append_format(text, "siembridge_%s{destination=\"%s\"} %" PRIu64 "\n",
					   rows[i].name,
					   overview->destinations[j].configuration->name,
					   rows[i].value(&overview->destinations[j]));
	}
}

/* ---- sources ---- */

static void
label_secret(struct text *text, const char *name, const struct config_source *source,
	     unsigned index)
{
	const char *file = source->secrets[index].file;
	const char *slash = strrchr(file, '/');

	text_append_format(text, "siembridge_%s{source=\"%s\",secret=\"%u:", name, source->name,
			   index);
	value_of(text, slash != NULL ? slash + 1 : file);
	text_append_string(text, "\"}");
}

static void
write_secrets(struct text *text, const struct overview *overview, bool times)
{
	const char *name = times ? "secret_last_used_timestamp_seconds" : "secret_used_total";

	if (times)
		head(text, name, "gauge",
		     "When a request was last signed with it, Unix time; 0: never.");
	else
		head(text, name, "counter", "Requests that were signed with it.");
	for (unsigned i = 0; i < overview->config->sources_count && i < COUNTERS_SOURCES; i++) {
		const struct config_source *source = &overview->config->sources[i];

		for (unsigned j = 0; j < source->secrets_count && j < COUNTERS_SECRETS; j++) {
			const struct counters_secret *secret = &overview->counters->secrets[i][j];

			label_secret(text, name, source, j);
			if (times)
				seconds(text, atomic_load_explicit(&secret->last_used,
								   memory_order_relaxed));
			else
				text_append_format(
				    text, " %" PRIu64 "\n",
				    atomic_load_explicit(&secret->used, memory_order_relaxed));
		}
	}
}

void
console_metrics_write(struct text *text, const struct overview *overview,
		      int64_t certificate_expires_at)
{
	head(text, "build_info", "gauge", "The version that runs.");
	text_append_string(text, "siembridge_build_info{version=\"" VERSION "\"} 1\n");
	gauge(text, "ready", "1: requests are accepted and can be stored.", overview->ready);
	if (overview->counters != NULL) {
		write_counters(text, overview->counters);
		write_secrets(text, overview, false);
		write_secrets(text, overview, true);
	}
	gauge(text, "spool_events", "Events that are kept.", overview->events);
	gauge(text, "spool_last_sequence", "Sequence of the newest event.", overview->last);
	gauge(text, "spool_size_bytes", "Size of spool.db and its WAL.", overview->spool_bytes);
	gauge(text, "spool_max_size_bytes", "spool.max_size.", overview->config->spool.max_size);
	gauge(text, "spool_free_bytes", "Room on its file system.", overview->free_bytes);
	gauge(text, "spool_rejected_bodies",
	      "Signed bodies that are no event and wait for somebody.", overview->rejected);
	write_destinations(text, overview);
	if (certificate_expires_at > 0)
		gauge(text, "certificate_expiry_timestamp_seconds",
		      "When the certificate of the listener ends, Unix time.",
		      (uint64_t)certificate_expires_at);
}
