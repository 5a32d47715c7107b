/*
 * The requests of one destination that were taken and wait for an indexer to
 * acknowledge them (standards.md 9.3), over connections and over restarts.
 *
 * On a stream (send.h) a request is from `start` to `end`.  After a break, or a
 * restart, the same events come by again on a fresh stream: those that a request
 * holds are adopted by it instead of being sent again, and only what is waited for
 * no more goes out once more.
 *
 * How long a request has waited is counted by the monotonic clock: a step of the wall
 * clock neither gives all of them up nor holds one for a year.  On disk is the wall's
 * time, and after a restart it is believed within bounds: acks_age().
 *
 * The destination's thread's own, but for acks_take(), which is the main thread's:
 * it writes the changes to delivery.db.  No mutex.
 */
#ifndef ACKS_H
#define ACKS_H

#include "bridge/spool/delivery_acks.h"

enum { ACKS_MOST = 8192 /* requests that wait */ };

struct acks;

/* Gives an empty one, freed with acks_free(). */
struct acks *acks_new(void);
void acks_free(struct acks *acks); /* NULL is fine */

/*
 * One more out of delivery.db, before there is a second thread; owns what is in it.
 * `posted`: deadline_now() of when it was posted, as far as that is known.
 */
void acks_recall(struct acks *acks, const struct delivery_ack *ack, int64_t posted);

/*
 * How long ago that was, in milliseconds, when the wall clock says `wall` and may have been
 * set meanwhile: never less than 0, nor more than `longest`.
 */
int64_t acks_age(int64_t posted_at, int64_t wall, int64_t longest);

/* A fresh stream: nothing is on it yet.  Requests without an event of the spool are gone. */
void acks_begin(struct acks *acks);

/* Those that wait, and those behind them. */
size_t acks_count(const struct acks *acks);

/* The cookies of the newest request; NULL: none. */
const char *acks_cookies(const struct acks *acks);

/*
 * Is the live event of that sequence in a request that waits since before this
 * stream?  acks_adopt(): then it is from `start` to `end` on it.
 */
bool acks_covers(const struct acks *acks, uint64_t sequence);
bool acks_adopt(struct acks *acks, uint64_t sequence, uint64_t start, uint64_t end);

/*
 * One more request was taken, at `posted` (deadline_now()); copies the cookies.  Not
 * `keep`: after a restart it is not to be asked for.
 */
void acks_add(struct acks *acks, const struct delivery_ack *ack, int64_t posted, uint64_t start,
	      uint64_t end, bool keep);

/* An indexer has acknowledged it. */
void acks_indexed(struct acks *acks, const char *channel, uint64_t id);

/* Up to which of the `written` bytes is all acknowledged?  Drops what that passes. */
uint64_t acks_confirm(struct acks *acks, uint64_t written);

/*
 * Waits no more for those posted before that time (deadline_now()), or, of
 * that channel, with an ackId of at most `highest`.  True: one of them is on the
 * stream, which is to begin anew.
 */
bool acks_expire(struct acks *acks, int64_t posted_before);
bool acks_forget(struct acks *acks, const char *channel, uint64_t highest);

/* When the oldest one that waits was posted (deadline_now()); INT64_MAX: none. */
int64_t acks_oldest(const struct acks *acks);

/*
 * Whom to ask for: at most `most` of one channel that were not asked for since
 * acks_begin_round().  Returns how many; 0: all were.
 */
void acks_begin_round(struct acks *acks);
size_t acks_next(struct acks *acks, char channel[DELIVERY_CHANNEL + 1], uint64_t *ids, size_t most);

/* There are changes that nobody has been told of: true once for each acks_take(). */
bool acks_has_news(struct acks *acks);

/*
 * The main thread's: the changes since the last time, freed with
 * acks_free_changes(); NULL: none.
 */
struct delivery_ack_change *acks_take(struct acks *acks, size_t *count);
void acks_free_changes(struct delivery_ack_change *changes, size_t count);

#endif
