/*
 * What is owed to those who were told that it is stored, and whether a directory holds it.
 * What is not so ends the program, with a line of TAP that says why.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdint.h>

#include "bridge/spool/spool.h"

enum {
	ORACLE_MOST = 4096, /* events of one life */
	ORACLE_ID = 24,
	ORACLE_BODY = 3000,
};

/* The numbers of events are ours, their sequences the spool's. */
struct oracle {
	uint64_t sequences[ORACLE_MOST]; /* of event n; 0: nothing is owed of it */
	uint64_t tried;                  /* events 1..tried were given to the spool */
	uint64_t highest;                /* sequence that was ever promised */
	uint64_t pruned;                 /* up to here they may be gone */
	uint64_t cursor;                 /* was promised */
	uint64_t cursor_tried;
};

/* The seed of this run, for oracle_die(). */
void oracle_start(unsigned long long seed);

_Noreturn void oracle_die(const char *what, const char *text, const char *directory);

/* All of an event is a function of its number; it borrows from ORACLE_ID and ORACLE_BODY bytes. */
void oracle_make_event(struct spool_event *event, uint64_t number, char *id, char *body);

/* The chain is. */
void oracle_must_be_whole(const char *directory);

/* Every row is one that was given, in its place and unchanged, and none is missing. */
void oracle_must_hold_all(const char *directory, const struct oracle *oracle);

/*
 * What is owed and not delivered is there, unchanged, though perhaps under a later
 * sequence than it had.
 */
void oracle_must_hold_what_is_owed(const char *directory, const struct oracle *oracle);

/*
 * Every row is one that was given, in its place.  A sender who asks again for what is shown
 * now is answered 202: it is owed.
 */
void oracle_owe_what_is_shown(const char *directory, struct oracle *oracle);

#endif
