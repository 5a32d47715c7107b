/*
 * A plan of siembridge init, written out: directory, configuration, secret, key,
 * certificate, spool.  All of it or nothing.
 */
#ifndef INIT_WRITE_H
#define INIT_WRITE_H

#include <limits.h>

#include "bridge/commands/init_plan.h"

/* Where things are, for whoever is told; absolute. */
struct init_written {
	char directory[PATH_MAX];
	char config[PATH_MAX + 32];
	char secret[PATH_MAX + 64];
};

/*
 * False: nothing is left of it.  `warn` is called for each thing that
 * siembridge check would warn of.
 */
MUST_CHECK bool init_write(const struct init_plan *plan, struct init_written *written,
			   void (*warn)(void *context, const char *text), void *context,
			   struct error *error);

bool init_write_has_console(const struct init_plan *plan);

#endif
