/*
 * What the files of delivery.db share.  Version 1 held the first two tables, version 2
 * all but the last.
 *
 *   cursors        destination -> epoch, seq, number
 *   dead           number, destination, seq, ...: what could not be delivered; replay: the
 *                  one that has it in hand, 0: none
 *   dropped        dead letters that somebody dropped: who, when, why
 *   replays        number, destination, name (of the order), rate, done_seq, ...
 *   replay_ranges  replay, first, last: what of the spool it sends
 *   troubles       destination -> its last failure
 *   passages       destination, bucket (10 s) -> the cursor at its end, for "delivered by"
 *   acks           destination, endpoint, channel, ackId -> what it stands for
 */
#ifndef DELIVERY_INTERNAL_H
#define DELIVERY_INTERNAL_H

#include "bridge/spool/database.h"
#include "bridge/spool/delivery.h"

enum { DELIVERY_VERSION = 3 };

struct delivery {
	struct database *database;
	struct database_statement *begin, *commit, *rollback;
	struct database_statement *load, *save, *bury;
	struct database_statement *advance, *revive, *pass;
	int64_t bucket; /* of the last passage */
};

/* Ends the transaction: commits where `done`, else rolls back.  Returns what became of it. */
MUST_CHECK bool delivery_internal_end(struct delivery *delivery, bool done, struct error *error);

#endif
