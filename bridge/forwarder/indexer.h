/*
 * A thread of low priority that keeps index.db up with the spool (spool_index.h).
 * Nothing waits for it; where it cannot work, people wait longer for an answer.
 */
#ifndef INDEXER_H
#define INDEXER_H

#include "formats/error.h"

struct indexer;

/* Gives *indexer, ended with indexer_stop().  Borrows the directory's name until then. */
MUST_CHECK bool indexer_start(struct indexer **indexer, const char *directory, struct error *error);

/* Ends it within the time of one segment, some 100 ms, and frees it.  NULL is fine. */
void indexer_stop(struct indexer *indexer);

#endif
