#include "bridge/receiver/upkeep.h"

#include "bridge/log.h"
#include "bridge/receiver/errand.h"
#include "bridge/spool/delivery.h"
#include "bridge/spool/spool_note.h"
#include "bridge/spool/spool_room.h"

enum {
	PRUNE_STEP = 500, /* events: a commit waits behind it */
	MARGIN = 3,       /* percent below a level before it is over */
};

static const char clock_name[] = "clock";

bool
upkeep_start(struct upkeep *upkeep, struct spool *spool, struct error *error)
{
	char saved[sizeof(struct steady_state)];
	struct text text;

	text_start(&text, saved, sizeof(saved));
	if (!spool_note_read(spool, clock_name, &text, error))
		return false;
	steady_start(&upkeep->steady, text_slice(&text));
	upkeep->is_pruning = upkeep->is_gathering = true;
	return true;
}

/* ---- room ---- */

/* In percent of what may be used, from which on it is told. */
static const struct level {
	unsigned percent;
	const char *text;
} levels[] = {
    {80, "raise spool.max_size, or see with siembridge events --status pending who holds it up"},
    {95, "senders will soon be told to come again"},
    {100, "senders are told to come again"},
};

enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

static unsigned
percent_used(const struct spool_room *room)
{
	uint64_t of_file = room->max_size > 0 ? room->used * 100 / room->max_size : 0;
	/* free disk: 80 % is at one and a quarter of the reserve */
	uint64_t of_disk = room->reserve > 0 && room->disk_free < room->reserve * 2
			       ? room->reserve * 100 / (room->disk_free > 0 ? room->disk_free : 1)
			       : 0;
	uint64_t higher = of_file > of_disk ? of_file : of_disk;

	return higher < 100 ? (unsigned)higher : 100;
}

static unsigned long long
mebibytes(uint64_t bytes)
{
	return bytes / 1024 / 1024;
}

/* Each level once on the way up, and once when all is well again. */
static void
watch_room(struct upkeep *upkeep, const struct spool_room *room)
{
	unsigned percent = percent_used(room);
	size_t level = 0;

	while (level < LEVELS && percent >= levels[level].percent)
		level++;
	if (level > upkeep->level) {
		const char *what = levels[level - 1].text;

		(level == LEVELS ? log_error : log_warning)(
		    "spool",
		    "%u %% of the room is used: %llu of max_size %llu MiB, %llu MiB of disk free "
		    "with a reserve of %llu MiB; %s",
		    percent, mebibytes(room->used), mebibytes(room->max_size),
		    mebibytes(room->disk_free), mebibytes(room->reserve), what);
		upkeep->level = level;
	} else if (upkeep->level > 0 && percent + MARGIN < levels[upkeep->level - 1].percent) {
		if (level == 0)
			log_info("spool", "there is room again: %u %% of it is used", percent);
		upkeep->level = level;
	}
}

/* ---- retention ---- */

/*
 * The clock goes with the marks: a restart then knows how old everything is.  Without
 * room it stays in memory, and the next mark tries again.
 */
static bool
save_clock(struct upkeep *upkeep, struct spool *spool, struct error *error)
{
	return spool_note(spool, clock_name, steady_save(&upkeep->steady), error) != SPOOL_BROKEN;
}

static bool
prune(struct upkeep *upkeep, struct spool *spool, uint64_t up_to,
      void (*forget)(void *context, const unsigned char *prints, size_t count), void *context,
      bool *more, struct error *error)
{
	if (!upkeep->is_pruning)
		return true;
	switch (spool_prune(spool, up_to, PRUNE_STEP, forget, context, more, error)) {
	case SPOOL_DONE:
		return true;
	case SPOOL_FULL:
		upkeep->is_pruning = false;
		log_error("spool",
			  "nothing is pruned any more until the next start: %s; see siembridge "
			  "spool check",
			  error->text);
		return true;
	case SPOOL_BROKEN:
		break;
	}
	return false;
}

static bool
retain(struct upkeep *upkeep, struct spool *spool,
       void (*forget)(void *context, const unsigned char *prints, size_t count), void *context,
       bool *more, struct error *error)
{
	const struct upkeep_settings *settings = &upkeep->settings;
	uint64_t delivered, aged;

	if (steady_advance(&upkeep->steady, spool_last(spool), settings->retention) &&
	    !save_clock(upkeep, spool, error))
		return false;
	if (!delivery_lowest(settings->directory, settings->destinations, settings->count,
			     &delivered, error)) {
		/* the forwarder's file is in trouble, not ours: nothing is pruned meanwhile */
		log_warning("spool", "retention waits: %s", error->text);
		return true;
	}
	aged = steady_aged(&upkeep->steady, settings->retention);
	return prune(upkeep, spool, aged < delivered ? aged : delivered, forget, context, more,
		     error);
}

/* ---- fingerprints ---- */

static bool
gather(struct upkeep *upkeep, struct spool *spool, bool *more, struct error *error)
{
	bool left = false;

	switch (spool_fingerprints_gather(spool, &left, error)) {
	case SPOOL_DONE:
		*more = *more || left;
		upkeep->is_gathering = true;
		return true;
	case SPOOL_FULL:
		/* it is tried again, and told once */
		if (upkeep->is_gathering)
			log_warning("spool",
				    "fingerprints stay in small rows, which makes the next start "
				    "longer: %s",
				    error->text);
		upkeep->is_gathering = false;
		return true;
	case SPOOL_BROKEN:
		break;
	}
	return false;
}

bool
upkeep_turn(struct upkeep *upkeep, struct spool *spool,
	    void (*forget)(void *context, const unsigned char *prints, size_t count), void *context,
	    bool *more, struct error *error)
{
	struct spool_room room;

	*more = false;
	if (upkeep->settings.directory == NULL)
		return true;
	if (errand_run(spool, upkeep->settings.directory, error) == SPOOL_BROKEN ||
	    !retain(upkeep, spool, forget, context, more, error) ||
	    !gather(upkeep, spool, more, error) || !spool_room(spool, &room, error))
		return false;
	watch_room(upkeep, &room);
	return true;
}
