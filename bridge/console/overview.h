/*
 * What the bridge is at, in numbers: for the page, the metrics and `siembridge status`,
 * from the counters and from both databases, whether the daemon runs or not.
 */
#ifndef OVERVIEW_H
#define OVERVIEW_H

#include "bridge/config.h"
#include "bridge/counters.h"
#include "bridge/spool/standing.h"
#include "formats/json_write.h"

/* How a destination is. */
enum overview_state {
	OVERVIEW_WELL,
	OVERVIEW_FAILING, /* tried again and again, later each time */
	OVERVIEW_HELD,    /* what is wrong takes somebody who mends it: tried every hold_retry */
	OVERVIEW_STATES
};

struct overview_destination {
	const struct config_destination *configuration;
	enum overview_state state;
	uint64_t confirmed; /* sequence */
	uint64_t pending;   /* events behind it, those it does not want too */
	int64_t lag;        /* ms: the age of the oldest of them */
	uint64_t dead;      /* letters */
	bool is_counted;    /* the daemon runs, and so these three are known: */
	uint64_t sent;      /* since the start */
	uint64_t breaks;    /* likewise */
	int64_t retry_at;   /* ms since 1970; 0: none is due */
	struct delivery_view_trouble trouble;
};

struct overview_replay {
	uint64_t number;
	char destination[65];
	uint64_t first, last, done, rate; /* sequences; events a second, 0: no limit */
	int64_t asked_at;
	int64_t finished_at; /* 0: under way */
	char by[65];
};

enum { OVERVIEW_REPLAYS = 32, OVERVIEW_FRESH = 10000 /* ms: how old a sign of life may be */ };

struct overview {
	const struct config *config;
	const struct counters *counters; /* borrowed; NULL: not known */
	bool running;                    /* else the counters are those of its end */
	int64_t now;                     /* ms since 1970 */
	bool ready;
	struct error reason;  /* why it is not */
	bool has_spool;       /* else the next six are 0 */
	struct error missing; /* why it has none */
	uint64_t first, last, events;
	uint64_t rejected;
	uint64_t spool_bytes;
	uint64_t free_bytes; /* of the file system */
	struct overview_destination destinations[COUNTERS_DESTINATIONS];
	size_t count;
	struct overview_replay replays[OVERVIEW_REPLAYS]; /* under way, or of the last hour */
	size_t replay_count;
};

/* Where the numbers come from. */
struct overview_sources {
	const struct config *config;
	const struct counters *counters; /* NULL: none */
	bool running;                    /* they are of a daemon that runs */
	int64_t beat;                    /* monotonic ms that they are of */
	struct standing *standing;       /* NULL: none; refreshed here */
	struct error missing;            /* why there is none */
};

MUST_CHECK bool overview_read(struct overview *overview, const struct overview_sources *sources,
			      struct error *error);

/* "well", "failing", "held". */
const char *overview_state_name(enum overview_state state);

/* "syslog tls siem.example.com:6514": what kind a destination is, and whom it reaches. */
void overview_write_target(const struct config_destination *destination, struct text *text);

/*
 * As JSON.  With counters, also the sources and the use of their secrets.  The texts are
 * copied.  `arena` is for times.
 */
struct json_node *overview_object(const struct overview *overview, struct arena *arena);

#endif
