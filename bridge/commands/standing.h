/*
 * Where every event stands at every destination, for the commands that show it: worked
 * out from cursors, dead letters and routing, never stored.
 *
 * A snapshot: cursors and dead letters are those of standing_open() or of the last
 * standing_refresh().
 */
#ifndef STANDING_H
#define STANDING_H

#include "bridge/config.h"
#include "bridge/spool/delivery_view.h"
#include "bridge/spool/spool_find.h"

enum standing_status {
	STANDING_PENDING,
	STANDING_DELIVERED,
	STANDING_DEAD,
	STANDING_NOT_ROUTED,
	STANDING_STATUSES
};

struct standing_destination {
	const struct config_destination *configuration;
	struct delivery_cursor cursor; /* of the spool that is there; 0 where there is none */
	uint64_t *dead;                /* sequences of the dead letters, rising */
	size_t dead_count;
};

struct standing {
	struct config *config;
	struct spool_find *find;
	struct delivery_view *view;
	struct standing_destination *destinations; /* as configured */
	size_t count;
};

/* Reads the configuration, opens both databases.  Gives *standing, closed with standing_close(). */
MUST_CHECK bool standing_open(struct standing **standing, const char *config_path,
			      struct error *error);
void standing_close(struct standing *standing);

MUST_CHECK bool standing_refresh(struct standing *standing, struct error *error);

/* The index of the destination of that name, or false with an error that names those there are. */
MUST_CHECK bool standing_find(const struct standing *standing, const char *name, size_t *index,
			      struct error *error);

enum standing_status standing_of(const struct standing *standing, size_t destination,
				 uint64_t sequence, struct slice type);

/* "pending", "delivered", "dead", "not-routed". */
const char *standing_name(enum standing_status status);

#endif
