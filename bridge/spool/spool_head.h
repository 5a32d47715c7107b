/*
 * The head of the spool, kept outside spool.db: epoch, last sequence, chain hash.
 * A flipped bit in SQLite's WAL silently drops every later commit (reliability.md
 * section 0, row 3); the head still knows how far it went.  It may lag after a
 * crash, never lead: it is written after the commit.
 */
#ifndef SPOOL_HEAD_H
#define SPOOL_HEAD_H

#include "bridge/spool/spool.h"

struct spool_head;

struct spool_head_mark {
	uint64_t epoch;
	uint64_t sequence; /* 0: none */
	unsigned char hash[SPOOL_HASH_LENGTH];
};

/*
 * Opens or creates it, durably, and fills *mark with the newest readable one.
 * Gives *head, closed with spool_head_close().
 */
MUST_CHECK bool spool_head_open(struct spool_head **head, const char *directory,
				struct spool_head_mark *mark, struct error *error);
void spool_head_close(struct spool_head *head);

/* The newest readable one, for those who change nothing; false: there is none. */
bool spool_head_peek(const char *directory, struct spool_head_mark *mark);

/* Writes it, not yet durably. */
MUST_CHECK bool spool_head_write(struct spool_head *head, const struct spool_head_mark *mark,
				 struct error *error);

/* Makes what was written durable. */
MUST_CHECK bool spool_head_sync(struct spool_head *head, struct error *error);

#endif
