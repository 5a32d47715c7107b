/*
 * One look at a source's list, from its first page to the last: everything old enough
 * that the webhook should have come goes to the receiver, which knows what it has.
 */
#ifndef POLL_WALK_H
#define POLL_WALK_H

#include <stdatomic.h>

#include "bridge/config.h"
#include "bridge/secret.h"

/* What was found; numbers of events. */
struct poll_found {
	uint64_t pages;
	uint64_t seen;       /* all of them */
	uint64_t missed;     /* no webhook had brought them: they are stored now */
	uint64_t known;      /* the ledger had them */
	uint64_t young;      /* may still come by themselves */
	uint64_t unwanted;   /* of types that are not subscribed */
	uint64_t unreadable; /* no events as a webhook would carry them */
};

struct poll_walk {
	const struct config_source *source;
	const char *spool_directory;
	const struct secret *token; /* NULL: none */
	int64_t since, until;       /* ms since 1970: what happened then is looked for */
	const atomic_bool *stopping;
	void (*tell)(void *context, const struct poll_found *found); /* after each page, or NULL */
	void *context;
	int64_t retry_after; /* filled: ms that the peer wants to be left alone; 0: not said */
};

/* Blocks.  False: it ended early, for the reason in the error; *found is what it got to. */
MUST_CHECK bool poll_walk_run(struct poll_walk *walk, struct poll_found *found,
			      struct error *error);

#endif
