/*
 * The spool: every event that was ever answered with a 2xx, on disk, in the
 * order of its sequence number.
 *
 * Contract: when spool_append() has returned SPOOL_DONE, its events survive a
 * kill and a power loss.  When it has returned SPOOL_BROKEN, they may be there
 * after the next open or not: no 2xx for any of them; the sender comes again, and
 * those that did survive are known as duplicates.  The handle is then dead: a
 * failed fsync is never tried again, because the kernel may have dropped the
 * pages; the process ends and its next start goes through spool_open(), which
 * makes durable what it will show.
 *
 * One writer (the receiver's commit thread), the only read-write connection to
 * spool.db in the program.  Readers, any number, open their own read-only handle
 * and use it from one thread.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/arena.h"
#include "formats/error.h"
#include "formats/text.h"

enum {
	SPOOL_HASH_LENGTH = 32,        /* SHA-256 */
	SPOOL_FINGERPRINT_LENGTH = 16, /* keyed SipHash of (source, id) */
	SPOOL_KEY_LENGTH = 16,
	SPOOL_FINGERPRINTS = 3, /* of one event, at most */
};

/* What was found about an event when it came; bits, kept with it for good. */
enum spool_flag {
	/* its body was there before, under another id that no signature covers */
	SPOOL_FLAG_REPLAY = 1 << 0,
	/* its id, which no signature covers, was there before with another body */
	SPOOL_FLAG_CONFLICT = 1 << 1,
	/* no webhook brought it: it was found in the sender's list */
	SPOOL_FLAG_POLLED = 1 << 2,
};

/* What is kept of one event.  All pointers are borrowed. */
struct spool_event {
	uint64_t sequence;     /* given by the spool; 0 before */
	int64_t received_at;   /* milliseconds since 1970, UTC */
	struct slice source;   /* name of the source, UTF-8 */
	struct slice id;       /* identity within the source, UTF-8, 1..255 bytes */
	struct slice type;     /* 1..127 bytes of [A-Za-z0-9._-] */
	struct slice resource; /* task or resource id; may be absent */
	struct slice evidence; /* the headers the signature rests on, a "name: value\n" each */
	struct slice body;     /* raw bytes as they came */
	uint32_t flags;        /* of enum spool_flag */
	unsigned char fingerprints[SPOOL_FINGERPRINTS][SPOOL_FINGERPRINT_LENGTH];
	size_t fingerprint_count; /* by how many it is remembered; not read back */
	bool intact;              /* read back: the row is what the chain says it was */
};

/* A body with a good signature that is no event: kept for a person to look at. */
struct spool_rejected {
	uint64_t number; /* given by the spool */
	int64_t received_at;
	struct slice source;
	struct slice reason; /* one sentence */
	struct slice evidence;
	struct slice body;
	unsigned char print[SPOOL_FINGERPRINT_LENGTH]; /* the same again is only counted */
	uint64_t times; /* read back: how often it came, as a sender tries again */
};

struct spool;
struct spool_reader;

enum spool_result {
	SPOOL_DONE,   /* durable */
	SPOOL_FULL,   /* no room: nothing was stored, the handle is still good */
	SPOOL_BROKEN, /* see the contract above */
};

/* ---- the writer ---- */

/*
 * Opens or creates spool.db in `directory` (which must be there), takes the lock
 * of the directory, makes durable all that a crash left in the WAL, and reads the
 * head.  `floor` is the highest sequence that any cursor has seen: the next one
 * is above it, above the spool's own and above the head file's.  A head or cursor
 * above the last row is told as an alarm in *alarm (empty text: none).  Beyond
 * `max_size` bytes (0: no limit) appends are SPOOL_FULL.
 * Gives *spool, closed with spool_close().
 */
MUST_CHECK bool spool_open(struct spool **spool, const char *directory, uint64_t max_size,
			   uint64_t floor, struct error *alarm, struct error *error);
void spool_close(struct spool *spool);

/* True where another process holds the spool: a second daemon, or this one for `check`. */
bool spool_is_locked(const char *directory);

/* The key of the fingerprints, made with the file: SPOOL_KEY_LENGTH bytes, borrowed. */
const unsigned char *spool_key(const struct spool *spool);

/* About how many fingerprints there are, judged by the numbers of the events. */
MUST_CHECK bool spool_fingerprints_expected(struct spool *spool, uint64_t *count,
					    struct error *error);

/*
 * Calls `each` for every fingerprint kept, `count` of them at `prints`, the last
 * belonging to `sequence` or before it.
 */
MUST_CHECK bool spool_fingerprints(struct spool *spool,
				   void (*each)(void *context, const unsigned char *prints,
						size_t count),
				   void *context, struct error *error);

/*
 * Brings the fingerprints of many small commits together in one row, once there are
 * enough of them, so that a start reads some thousand rows and not one an event.  *more:
 * there is more to do.  Between appends, by the thread that appends, after
 * spool_fingerprints().  SPOOL_FULL: nothing was changed, for want of room or because the
 * file is damaged there; the handle is still good.
 */
MUST_CHECK enum spool_result spool_fingerprints_gather(struct spool *spool, bool *more,
						       struct error *error);

/*
 * Appends `count` events and `rejected_count` rejected bodies in one transaction
 * and one fsync, and numbers them: events[i].sequence are consecutive.  Blocks for
 * the disk.
 */
MUST_CHECK enum spool_result spool_append(struct spool *spool, struct spool_event *events,
					  size_t count, struct spool_rejected *rejected,
					  size_t rejected_count, struct error *error);

/*
 * Moves the WAL into the file when it has grown (`force`: whatever its size) and
 * syncs the head.  Between appends, by the thread that appends.  False: SPOOL_BROKEN.
 */
MUST_CHECK bool spool_checkpoint(struct spool *spool, bool force, struct error *error);

/*
 * Removes, oldest first, at most `limit` events that are not above `up_to`, and gives room
 * back to the file system.  The last event always stays: it carries the chain.  `forget`
 * is told the fingerprints that went with them.  *more: there is more to do.
 * Between appends, by the thread that appends.  SPOOL_FULL: nothing was removed, for want
 * of room or because the file is damaged there; the handle is still good.
 */
MUST_CHECK enum spool_result spool_prune(struct spool *spool, uint64_t up_to, size_t limit,
					 void (*forget)(void *context, const unsigned char *prints,
							size_t count),
					 void *context, bool *more, struct error *error);

/* The last sequence that is durable; 0: none yet. */
uint64_t spool_last(const struct spool *spool);

/* ---- readers ---- */

/*
 * Gives *reader, closed with spool_reader_close().  False while there is no spool yet, or
 * events of a damaged one are brought into it.
 */
MUST_CHECK bool spool_reader_open(struct spool_reader **reader, const char *directory,
				  struct error *error);
void spool_reader_close(struct spool_reader *reader);

/*
 * Reads events with sequence > after, in order: at most `limit` of them, and no
 * more once `bytes` of bodies were read (always at least one).  They are copied
 * into the arena.  *count 0: none yet.  An event whose `intact` is false does not
 * fit the hash chain: its bytes were changed on disk.  One that cannot be read at all is
 * not intact either and has nothing but its sequence: those around it are not held up.
 */
MUST_CHECK bool spool_reader_next(struct spool_reader *reader, uint64_t after, size_t limit,
				  size_t bytes, struct arena *arena, struct spool_event **events,
				  size_t *count, struct error *error);

/* The lowest and highest sequence kept; both 0 where there is none. */
MUST_CHECK bool spool_reader_range(struct spool_reader *reader, uint64_t *first, uint64_t *last,
				   struct error *error);

/* The identity of the file: changes when a fresh one was begun. */
uint64_t spool_reader_epoch(const struct spool_reader *reader);

#endif
