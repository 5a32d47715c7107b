/*
 * An event of the ledger as JSON, for the console and for `events --json`.  Key
 * material is masked as on its way to a SIEM (formats/mask.h), signatures are cut.
 */
#ifndef EVENT_OBJECT_H
#define EVENT_OBJECT_H

#include "bridge/spool/standing.h"
#include "formats/json_write.h"

/*
 * What a line of a list says of it: sequence, times, type, id, resource, source,
 * severity, and the status at each destination.
 */
struct json_node *event_object_line(struct standing *standing, const struct standing_event *read);

/*
 * All that is known: evidence, fields, course and rendered line at each destination,
 * body.  Gives *object; EVENT_OBJECT_CAPACITY and six times the body's length hold it.
 */
MUST_CHECK bool event_object_whole(struct standing *standing, const struct standing_event *read,
				   struct json_node **object, struct error *error);

enum { EVENT_OBJECT_CAPACITY = 1 << 20 /* bytes */ };

/* Masked where it is there; in the standing's arena. */
struct slice event_object_masked(const struct standing *standing, struct slice value);

/* RFC 3339 in the arena; absent for 0. */
struct slice event_object_time(struct arena *arena, int64_t milliseconds);

/*
 * Takes the next "name: value" line off the evidence; of a signature only the beginning
 * is shown, and *cut says so.  False: there is none.
 */
bool event_object_header(struct slice *evidence, struct slice *name, struct slice *value,
			 bool *cut);

#endif
