/*
 * What the files of the spool share.  spool.db:
 *
 *   meta          name, value: epoch, key (of the fingerprints), anchor (hash of the
 *                 last event that was pruned: what the first one kept follows on), filling
 *                 (while events of one that was put aside are brought into a fresh one)
 *   events        seq, received_at, source, id, type, resource, evidence, body, hash,
 *                 flags (from version 3 on, as last_seq)
 *   fingerprints  first_seq, prints, last_seq: one row a commit, later one for many small
 *                 ones (spool_fingerprints.c), 16 bytes an event (48 where no signature covers
 *                 its id), so that the start reads those and not the bodies
 *   rejected      bodies with a good signature that are no events; from version 4 on each
 *                 once (print: fingerprint of source and body), and how many times it came
 *   dropped       those of them that somebody dropped: who, when, why (from version 2 on)
 *
 * events.hash is the chain: SHA-256 over the hash of the row before and this row.
 * Beside it lies the file `head` (spool_head.c), and `lock`, held by the writer.
 */
#ifndef SPOOL_INTERNAL_H
#define SPOOL_INTERNAL_H

#include "bridge/deadline.h"
#include "bridge/spool/database.h"
#include "bridge/spool/spool.h"

enum { SPOOL_VERSION = 4, SPOOL_PAGE = 4096 /* bytes */ };

struct spool_chain;
struct spool_head;

struct spool {
	struct database *database;
	struct database_statement *begin, *commit, *rollback;
	struct database_statement *insert_event, *insert_prints, *insert_rejected;
	struct spool_chain *chain;
	struct spool_head *head;
	int lock; /* descriptor */
	char *directory;
	uint64_t epoch;
	uint64_t last;            /* highest sequence in the file; 0: none */
	uint64_t next;            /* sequence of the next event */
	uint64_t max_size;        /* bytes; 0: no limit */
	uint64_t reserve;         /* bytes of disk that stay free; 0: none */
	struct deadline room_due; /* before which the disk is not asked again */
	bool disk_is_low;         /* as it was asked last */
	uint64_t loose;           /* first_seq from which on rows of prints may be short */
	uint64_t loose_bytes;     /* of prints in those that are */
	uint64_t checkpoint_due;  /* bytes of WAL at which to checkpoint next */
	unsigned char hash[SPOOL_HASH_LENGTH]; /* of the last row; zeros: none */
	unsigned char key[SPOOL_KEY_LENGTH];
};

/* The path of a file of the spool, NUL-terminated, in `path` of PATH_MAX bytes. */
MUST_CHECK bool spool_internal_path(char *path, const char *directory, const char *name,
				    struct error *error);

/* *is_filling: it is a fresh file that holds only part of what was put aside (spool_owed.h). */
MUST_CHECK bool spool_internal_filling(struct database *database, bool *is_filling,
				       struct error *error);

/*
 * The first and the last sequence of spool.db that are kept; both 0 where there is none.
 * Of a statement that is prepared once, and finalized by its owner.
 */
MUST_CHECK bool spool_internal_prepare_range(struct database *database,
					     struct database_statement **range,
					     struct error *error);
MUST_CHECK bool spool_internal_range(struct database_statement *range, uint64_t *first,
				     uint64_t *last, struct error *error);

/* Damage showed when it was written to: the next start puts the file aside. */
void spool_internal_suspect(const struct spool *spool);

/*
 * A transaction ended with `step`: rolls it back.  SPOOL_FULL: it is really over, nothing
 * of it was stored, and the handle is good; `error` stays as it is.
 */
enum spool_result spool_internal_abandon(struct spool *spool, enum database_step step,
					 struct error *error);

#endif
