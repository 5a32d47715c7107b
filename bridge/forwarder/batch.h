/*
 * A batch: events out of the spool on their way to one destination, what becomes
 * of each of them, and the bytes that go out for them.
 *
 *   batch_read -> batch_route -> batch_normalise -> batch_select -> render_batch -> send
 *
 * At most BATCH_EVENTS events and about BATCH_BYTES of bodies and of output, or as it
 * was made; all else that belongs to it lives in its arena until the next batch_read().
 */
#ifndef BATCH_H
#define BATCH_H

#include "bridge/config.h"
#include "bridge/spool/profiles.h"
#include "bridge/spool/spool.h"
#include "formats/event.h"

enum { BATCH_EVENTS = 256, BATCH_BYTES = 1 << 20 };

enum batch_fate {
	BATCH_WANTED,
	BATCH_UNWANTED, /* not routed to this destination */
	BATCH_DEAD,     /* can never be delivered, for `reason` */
};

struct batch_item {
	const struct spool_event *stored;
	struct event event; /* of a wanted one, after batch_normalise() */
	enum batch_fate fate;
	struct slice reason; /* of a dead one */
};

/* What goes out for one wanted item. */
struct batch_message {
	size_t item;     /* index */
	uint64_t number; /* in the count of this destination */
	size_t end;      /* offset in the output of the byte behind its frame */
};

/* Whence its items are. */
enum batch_lane {
	BATCH_LIVE,
	BATCH_REPLAY,    /* they say that they are sent again */
	BATCH_HEARTBEAT, /* one, of our own, that is in no spool */
};

struct batch {
	size_t events; /* that are read into it at once, at most */
	size_t bytes;  /* of their bodies, about */
	struct arena *arena;
	struct batch_item *items; /* in the order of their sequence */
	size_t count;
	struct batch_message *messages; /* in the same order */
	size_t message_count;
	uint64_t offset;    /* bytes handed over on the connection before this batch */
	struct text output; /* all messages, framed, one behind the other */
	size_t sent;        /* bytes of the output that were taken from us */
	size_t next;        /* first message that was not taken whole */
	enum batch_lane lane;
	uint64_t passed; /* where its lane is behind it: a sequence */
};

/* Gives an empty batch whose output never exceeds `capacity` bytes. */
struct batch *batch_new(size_t capacity);

/* Likewise, of other limits than BATCH_EVENTS and BATCH_BYTES. */
struct batch *batch_new_of(size_t capacity, size_t events, size_t bytes);
void batch_free(struct batch *batch);

/* Forgets what is in it; the next one starts behind it. */
void batch_clear(struct batch *batch);

/*
 * Clears it and reads the events behind sequence `after`, `limit` of them at most;
 * count 0: there are none yet.
 */
MUST_CHECK bool batch_read(struct batch *batch, struct spool_reader *reader, uint64_t after,
			   size_t limit, struct error *error);

/*
 * Says of each wanted item whether the destination wants it, as far as the spool's row tells:
 * by the sender's word for its type or by ours.
 */
void batch_route(struct batch *batch, const struct config_destination *destination,
		 const struct profiles *profiles);

/* Fills the event of each wanted item; one that cannot be read is dead. */
void batch_normalise(struct batch *batch, const struct profiles *profiles);

/* Says of each wanted item, now that its body was read, whether it is wanted still. */
void batch_select(struct batch *batch, const struct config_destination *destination);

/* One item is dead; copies the reason. */
void batch_kill(struct batch *batch, size_t item, const char *reason);

/* Keeps the first `count` items only: the others come with the next batch. */
void batch_cut(struct batch *batch, size_t count);

/* One more message for `item`: the output ends with its frame. */
void batch_add_message(struct batch *batch, size_t item, uint64_t number);

/* `bytes` more of the output were taken. */
void batch_advance(struct batch *batch, size_t bytes);

/* Nothing is left to be sent: true for an empty one. */
bool batch_is_sent(const struct batch *batch);

#endif
