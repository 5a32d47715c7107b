/*
 * How the bodies of each source are read: its profile, made ready once and shared
 * by all destinations (read-only).
 */
#ifndef PROFILES_H
#define PROFILES_H

#include "bridge/config.h"
#include "bridge/spool/spool.h"
#include "formats/normalise.h"

struct profiles;

/* Gives *profiles, freed with profiles_free().  Borrows the configuration. */
MUST_CHECK bool profiles_new(struct profiles **profiles, const struct config *config,
			     struct error *error);
void profiles_free(struct profiles *profiles);

/*
 * The one for a source by name.  Events of a source that is no longer configured
 * are still in the spool: they are read with the default profile.
 */
const struct normalise *profiles_of(const struct profiles *profiles, struct slice source);

/* The type of a stored event in our words. */
struct slice profiles_type(const struct profiles *profiles, const struct spool_event *stored);

#endif
