#include "bridge/receiver/secret_use.h"

#include "bridge/log.h"
#include "formats/timestamp.h"

enum { LINE = 1024 };

static int64_t
last_use_of(const struct counters_secret *secret)
{
	return atomic_load_explicit(&secret->last_used, memory_order_relaxed);
}

/* Within a day. */
static bool
is_fresh(const struct counters_secret *secret, int64_t now)
{
	return last_use_of(secret) > now - SECRET_USE_PERIOD;
}

/* Does the sender sign with another one by now? */
static bool
another_is_fresh(const struct config_source *source,
		 const struct counters_secret row[COUNTERS_SECRETS], unsigned index, int64_t now)
{
	for (unsigned i = 0; i < source->secrets_count; i++)
		if (i != index && is_fresh(&row[i], now))
			return true;
	return false;
}

void
secret_use_write(const struct config_source *source,
		 const struct counters_secret row[COUNTERS_SECRETS], unsigned index, int64_t now,
		 struct text *text)
{
	const struct counters_secret *secret = &row[index];
	uint64_t used = atomic_load_explicit(&secret->used, memory_order_relaxed);

	text_append_format(text, "source %s: the secret %s ", source->name,
			   source->secrets[index].file);
	if (used == 0) {
		text_append_string(text, "was not used since the bridge was started");
	} else {
		text_append_format(text, "vouched for %llu requests, the last at ",
				   (unsigned long long)used);
		timestamp_write_rfc3339(text, last_use_of(secret));
	}
	if (!is_fresh(secret, now) && another_is_fresh(source, row, index, now))
		text_append_string(text, "; another is used, so it can be taken out where it is "
					 "the old one");
}

void
secret_use_tell(const struct config *config, const struct counters *counters, int64_t now)
{
	char bytes[LINE];
	struct text text;

	for (unsigned i = 0; i < config->sources_count && i < COUNTERS_SOURCES; i++) {
		const struct config_source *source = &config->sources[i];

		for (unsigned k = 0; source->secrets_count > 1 && k < source->secrets_count; k++) {
			text_start(&text, bytes, sizeof(bytes));
			secret_use_write(source, counters->secrets[i], k, now, &text);
			log_info("secret", "%.*s", (int)text.length, text.bytes);
		}
	}
}
