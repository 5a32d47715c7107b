/*
 * What an event is to people on call: it opens an incident or ends one, and which.
 *
 * The key is "<source>:<organization>:<family>:<object>", the same for all events about
 * one thing: what ends an incident has the key of what opened it.  It has no time in it
 * and at most INCIDENT_KEY bytes.
 */
#ifndef INCIDENT_H
#define INCIDENT_H

#include "formats/event.h"

enum { INCIDENT_KEY = 255 }; /* the shortest limit of those it is for: PagerDuty's */

enum incident_action { INCIDENT_TRIGGER, INCIDENT_RESOLVE };

struct incident {
	enum incident_action action;
	size_t length;
	char key[INCIDENT_KEY];
};

void incident_of(const struct event *event, struct incident *incident);

enum incident_action incident_action_of(const struct event *event);

struct slice incident_key(const struct incident *incident); /* borrowed from it */

/* The type whose incidents an event of that type always ends; NULL: none. */
const char *incident_ended_by(struct slice type);

#endif
