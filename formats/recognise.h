/*
 * Which events are in a line that a collector kept?  The formats read backwards, as far
 * as the id and the number of a message go, whatever is wrapped around them: a syslog
 * header, an export of Splunk or Elasticsearch, a frame, half of another line.
 *
 * Pure.  Ids and numbers are told apart: a line that was cut may hold one without the
 * other.
 */
#ifndef RECOGNISE_H
#define RECOGNISE_H

#include "formats/arena.h"
#include "formats/text.h"

struct recognise_calls {
	void (*id)(void *context, struct slice id);
	void (*number)(void *context, uint64_t number);
	void *context;
};

/* What is told lives until the arena is cleared.  Returns how many ids there were. */
size_t recognise_line(struct slice line, struct arena *arena, const struct recognise_calls *calls);

/* Is it the id of a heartbeat, which no ledger has? */
bool recognise_is_heartbeat(struct slice id);

#endif
