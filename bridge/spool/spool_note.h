/*
 * Small things that are kept in spool.db under a name, and go with it.  The writer's
 * thread, between appends.
 */
#ifndef SPOOL_NOTE_H
#define SPOOL_NOTE_H

#include "bridge/spool/spool.h"

/* Appends what is kept under that name to `text`; nothing where nothing is. */
MUST_CHECK bool spool_note_read(struct spool *spool, const char *name, struct text *text,
				struct error *error);

/* Keeps it, durably. */
MUST_CHECK enum spool_result spool_note(struct spool *spool, const char *name, struct slice bytes,
					struct error *error);

#endif
