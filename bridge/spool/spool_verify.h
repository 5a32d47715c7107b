/*
 * Is the ledger whole?  All of it against its hash chain and the head file, read-only,
 * while the daemon runs or not.
 *
 * It is read in chunks, each a snapshot: a long one would hold up the checkpoints.
 * What is pruned meanwhile is no loss; the anchor vouches for what follows.
 *
 * Its limit: who can write spool.db and head can also compute the chain anew.  Only a
 * hash that was noted elsewhere (spool_verify_report.hash) shows that.
 */
#ifndef SPOOL_VERIFY_H
#define SPOOL_VERIFY_H

#include "bridge/spool/spool.h"

enum spool_verify_kind {
	SPOOL_VERIFY_EDITED,     /* its bytes do not give its hash */
	SPOOL_VERIFY_REMOVED,    /* taken out: the next one follows on something else */
	SPOOL_VERIFY_GIVEN_UP,   /* lost at the end once: the next one follows on what was left */
	SPOOL_VERIFY_UNREADABLE, /* SQLite cannot read the row */
	SPOOL_VERIFY_MISSING,    /* above the last one, and the head file knows of it */
	SPOOL_VERIFY_HEAD,       /* the head file, or what was noted, has another hash for it */
	SPOOL_VERIFY_KINDS
};

struct spool_verify_finding {
	enum spool_verify_kind kind;
	uint64_t first, last; /* sequences */
};

/* A hash that was noted at an earlier time. */
struct spool_verify_note {
	uint64_t sequence; /* 0: none */
	unsigned char hash[SPOOL_HASH_LENGTH];
};

struct spool_verify_report {
	uint64_t epoch;
	uint64_t first, last;                  /* as they were found; 0: nothing is kept */
	uint64_t count;                        /* events read */
	uint64_t events[SPOOL_VERIFY_KINDS];   /* how many are affected */
	uint64_t head;                         /* sequence of the head file; 0: it knows none */
	bool head_is_foreign;                  /* it belongs to another spool.db */
	bool noted;                            /* the noted one was passed */
	bool disk_failed;                      /* more may be readable another time */
	unsigned char hash[SPOOL_HASH_LENGTH]; /* of the last event: the end of the chain */
};

struct spool_verify_calls {
	/* Each finding, in the order of the sequences. */
	void (*found)(void *context, const struct spool_verify_finding *finding);
	/*
	 * NULL, or told each event that can be read, with its stored hash and that of the
	 * row before it (NULL: not known); all is borrowed until it returns.  Events that
	 * do not fit are not `intact`.
	 */
	void (*event)(void *context, const struct spool_event *event, const unsigned char *hash,
		      const unsigned char *before);
	void *context;
};

/* False: it cannot be read at all.  A ledger that is not whole is no failure here. */
MUST_CHECK bool spool_verify(const char *directory, const struct spool_verify_note *note,
			     const struct spool_verify_calls *calls,
			     struct spool_verify_report *report, struct error *error);

/*
 * The same for a file that was put aside, without a head file: as much of it as can be
 * read, from the event behind `after` on.
 */
MUST_CHECK bool spool_verify_file(const char *path, uint64_t after,
				  const struct spool_verify_calls *calls,
				  struct spool_verify_report *report, struct error *error);

/* Are there findings? */
bool spool_verify_is_whole(const struct spool_verify_report *report);

#endif
