/*
 * Which class and activity of OCSF an event is, in the version that the consumer
 * reads.  The classes and what changed between versions are the tables in
 * ocsf_class.c.
 */
#ifndef OCSF_CLASS_H
#define OCSF_CLASS_H

#include "formats/event.h"

enum {
	OCSF_BASE_EVENT = 0,
	OCSF_DETECTION_FINDING = 2004,
	OCSF_ENTITY_MANAGEMENT = 3004,
	OCSF_GROUP_MANAGEMENT = 3006,
};

enum { OCSF_ACTIVITY_CLOSE = 3, OCSF_ACTIVITY_OTHER = 99 };

struct ocsf_class {
	int class_uid;              /* category * 1000 + number in it */
	int activity_id;            /* OCSF_ACTIVITY_OTHER: activity_name is ours */
	struct slice activity_name; /* borrowed from the event or constant */
	int status_id;              /* 0: nothing is said of it */
	const char *status;
};

/* OCSF 1.`minor`: type_uid is class_uid * 100 + activity_id. */
void ocsf_class_of(const struct event *event, unsigned minor, struct ocsf_class *class);

#endif
