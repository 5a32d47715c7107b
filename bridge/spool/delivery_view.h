/*
 * delivery.db for everybody but the forwarder: read-only, whether it runs or not.
 */
#ifndef DELIVERY_VIEW_H
#define DELIVERY_VIEW_H

#include "bridge/spool/delivery.h"

struct delivery_view;

/*
 * Gives *view, closed with delivery_view_close().  Where there is no delivery.db yet
 * all of the following find nothing.
 */
MUST_CHECK bool delivery_view_open(struct delivery_view **view, const char *directory,
				   struct error *error);
void delivery_view_close(struct delivery_view *view);

/* Fills *cursor of cursor->destination; *known: it has one. */
MUST_CHECK bool delivery_view_cursor(struct delivery_view *view, struct delivery_cursor *cursor,
				     bool *known, struct error *error);

/* A dead letter, with its number: what people name it by. */
struct delivery_view_letter {
	uint64_t number;
	struct slice destination;
	struct delivery_dead dead; /* its `destination` is NULL */
	uint64_t replay;           /* that has it in hand; 0: none */
};

/*
 * Calls `each` for the dead letters, in the order of their numbers, until it returns
 * false; borrowed until it returns.  Filters: destination NULL, number 0, sequence 0: any.
 */
MUST_CHECK bool delivery_view_dead(struct delivery_view *view, const char *destination,
				   uint64_t number, uint64_t sequence,
				   bool (*each)(void *context,
						const struct delivery_view_letter *letter),
				   void *context, struct error *error);

/* What was dropped, in the order of dropping: as above, and who, when and why. */
struct delivery_view_dropped {
	struct delivery_view_letter letter;
	int64_t dropped_at;
	struct slice by;
	struct slice because;
};

MUST_CHECK bool delivery_view_dropped(struct delivery_view *view, uint64_t sequence,
				      bool (*each)(void *context,
						   const struct delivery_view_dropped *dropped),
				      void *context, struct error *error);

/* What a destination last complained of. */
struct delivery_view_trouble {
	int64_t at;
	uint64_t failures; /* in a row; 0: it is well again, since well_at */
	int64_t well_at;
	char text[512]; /* NUL-terminated; empty: it never did */
};

MUST_CHECK bool delivery_view_trouble(struct delivery_view *view, const char *destination,
				      struct delivery_view_trouble *trouble, struct error *error);

/*
 * Between which times the cursor passed that sequence, ms since 1970; 0: not known.
 */
MUST_CHECK bool delivery_view_passage(struct delivery_view *view, const char *destination,
				      uint64_t sequence, int64_t *after, int64_t *by,
				      struct error *error);

/* A replay and how far it is. */
struct delivery_view_replay {
	uint64_t number;
	struct slice destination;
	uint64_t first; /* sequences */
	uint64_t last;
	uint64_t done; /* confirmed up to here */
	uint64_t rate; /* events a second; 0: as fast as it goes */
	int64_t asked_at;
	struct slice asked_by;
	int64_t finished_at; /* 0: under way, or waiting for the one before it */
};

MUST_CHECK bool delivery_view_replays(struct delivery_view *view, const char *destination,
				      bool (*each)(void *context,
						   const struct delivery_view_replay *replay),
				      void *context, struct error *error);

#endif
