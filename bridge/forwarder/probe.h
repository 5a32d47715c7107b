/*
 * What can be known of how a destination takes messages: some that say what they are go
 * out over a connection of their own, past the spool and past its cursor.
 */
#ifndef PROBE_H
#define PROBE_H

#include "bridge/config.h"
#include "bridge/spool/profiles.h"

/* One step of it, told as soon as it is known. */
struct probe_step {
	const char *name;     /* "connect", "a short message" ... */
	bool good;            /* it went as it should */
	int64_t milliseconds; /* that it took */
	const char *text;     /* what became of it, and what that is worth; one line */
};

struct probe {
	const struct config_destination *destination;
	const struct profiles *profiles;
	const char *run;  /* stands in each message, so that it is found: [A-Za-z0-9-] */
	int64_t patience; /* milliseconds that a message has to be confirmed in */
	void (*tell)(void *context, const struct probe_step *step);
	void *context;
};

/*
 * Blocks until all is told.  True: every step was good.  What tells people (pagers, mail)
 * gets the short message alone.
 */
bool probe_run(const struct probe *probe);

#endif
