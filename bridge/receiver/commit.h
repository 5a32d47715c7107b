/*
 * The commit thread: gathers what the loops have verified, makes it durable in
 * one transaction, and only then hands it back to its loop to be answered.
 *
 * A lone event is committed at once; under load everything that came during one
 * commit is the next one (group commit).  A duplicate goes the same way without
 * being stored: whatever commit it may depend on is over when it comes back.  The events
 * of one submission are stored in one transaction, or none of them is.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include "bridge/counters.h"
#include "bridge/receiver/submission.h"

struct commit;

/*
 * Starts the thread over an open spool, whose fingerprints it reads first.
 * `wake` (-1: none) is raised after each commit that stored something.  When the
 * spool breaks, what was under way is answered 503 and `broken` is called once,
 * from the commit thread.
 */
MUST_CHECK bool commit_start(struct commit **commit, struct spool *spool, int wake,
			     struct counters *counters, void (*broken)(void *context),
			     void *context, struct error *error);

/*
 * From now on prunes, between commits and in small steps, what is older than
 * `retention` (ms) and confirmed at all of these destinations.  All is borrowed until
 * commit_stop().
 */
void commit_keep(struct commit *commit, const char *directory, const char *const *destinations,
		 size_t count, int64_t retention);

/*
 * Any loop's thread: the time by which signed times are judged beside the clock, ms since
 * 1970 (0: none), and that one agreed with the clock.  See bridge/steady.h.
 */
int64_t commit_line(const struct commit *commit);
void commit_agree(struct commit *commit, int64_t wall);

/*
 * From now on `stored` is called, from the commit thread, with the events that have just
 * become durable.
 */
void commit_watch(struct commit *commit,
		  void (*stored)(void *context, const struct spool_event *events, size_t count),
		  void *context);

/* Commits what has been submitted, then ends the thread and frees it. */
void commit_stop(struct commit *commit);

/*
 * Takes it, unless too much is under way already: then false, and the answer is
 * 503.  Any loop's thread.
 *
 * An event is known by its source and id.  One with binds_body, whose id anybody
 * could have put there, is known by source, id and body: under a known id with
 * another body, or with a known body under another id, it is stored all the same,
 * with a flag, a count and a line in the log.
 */
MUST_CHECK bool commit_submit(struct commit *commit, struct submission *submission);

#endif
