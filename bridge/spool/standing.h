/*
 * Where every event stands at every destination, for whoever shows it: worked
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
#include "formats/event.h"

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

/* An event, read whole. */
struct standing_event {
	struct spool_event *stored; /* NULL: it was pruned */
	struct event event;
	bool normal;        /* its fields are there */
	struct error error; /* why not */
};

struct profiles;

struct standing {
	const struct config *config;
	struct config *own; /* where it was read here */
	struct spool_find *find;
	struct delivery_view *view;
	struct standing_destination *destinations; /* as configured */
	size_t count;

	/* the one that was read last */
	struct profiles *profiles;
	struct spool_reader *reader;
	struct arena *arena; /* cleared by the next standing_read() */
	uint64_t sequence;
	struct standing_event event;
};

/* Reads the configuration, opens both databases.  Gives *standing, closed with standing_close(). */
MUST_CHECK bool standing_open(struct standing **standing, const char *config_path,
			      struct error *error);

/* The same for a configuration that is there; borrows it. */
MUST_CHECK bool standing_open_with(struct standing **standing, const struct config *config,
				   struct error *error);
void standing_close(struct standing *standing);

/* Whatever was read and written in its arena before is gone. */
MUST_CHECK bool standing_refresh(struct standing *standing, struct error *error);

/* The index of the destination of that name, or false with an error that names those there are. */
MUST_CHECK bool standing_find(const struct standing *standing, const char *name, size_t *index,
			      struct error *error);

/* Reads and normalises it; *event is borrowed until the next call. */
MUST_CHECK bool standing_read(struct standing *standing, uint64_t sequence,
			      const struct standing_event **event, struct error *error);

/*
 * Of the event only sequence, source and type are looked at; where a destination chooses
 * by more, it is read.
 */
enum standing_status standing_of(struct standing *standing, size_t destination,
				 const struct spool_event *event);

/* "pending", "delivered", "dead", "not-routed". */
const char *standing_name(enum standing_status status);

#endif
