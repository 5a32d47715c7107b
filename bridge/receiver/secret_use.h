/*
 * While a secret is rotated two are accepted: so that an operator sees when the old one
 * has fallen silent, each secret of such a source gets a line in the log once a day.
 * The same numbers are in counters.h for whoever asks at another time.
 */
#ifndef SECRET_USE_H
#define SECRET_USE_H

#include "bridge/config.h"
#include "bridge/counters.h"

enum { SECRET_USE_PERIOD = 24 * 3600 * 1000 /* ms */ };

/* Appends one line about secret `index` of the source, whose numbers stand in `row`. */
void secret_use_write(const struct config_source *source,
		      const struct counters_secret row[COUNTERS_SECRETS], unsigned index,
		      int64_t now, struct text *text);

/* Writes all of them to the log.  `now` is ms since 1970. */
void secret_use_tell(const struct config *config, const struct counters *counters, int64_t now);

#endif
