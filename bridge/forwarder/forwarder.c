/*
 * The process.  The main thread never talks to a collector: it hands wake-ups on
 * (an eventfd for each destination: one for all would be cleared by the first that
 * reads it), and saves what the destinations have to tell.
 *
 * The end: the destinations get DESTINATION_DRAIN ms for what is under way.  One
 * that hangs in the resolver is left behind after STOP_DEADLINE, with its memory.
 */
#include "bridge/forwarder/forwarder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/confine.h"
#include "bridge/counters.h"
#include "bridge/deadline.h"
#include "bridge/forwarder/destination.h"
#include "bridge/forwarder/indexer.h"
#include "bridge/forwarder/ledger.h"
#include "bridge/spool/profiles.h"
#include "bridge/forwarder/replays.h"
#include "bridge/forwarder/unrouted.h"
#include "bridge/log.h"
#include "bridge/spool/spool.h"
#include "bridge/wake.h"
#include "formats/memory.h"
#include "formats/text.h"

/* Milliseconds. */
enum {
	STOP_DEADLINE = 4000,
	SPOOL_INTERVAL = 1000,
	LOOK_INTERVAL = 500,
	/*
	 * A lone event is handed on at once, a stream of them this often: with every
	 * commit of a busy receiver it would cost half as much again, the collector too.
	 */
	HAND_ON_INTERVAL = 25,
};

enum { FORWARDER_NICE = 5 /* a quarter of the receiver's share, when both want all of it */ };

struct forwarder {
	struct config *config;
	struct counters *counters;
	struct profiles *profiles;
	struct ledger *ledger;
	struct unrouted *unrouted; /* NULL: told to stop before there was a spool */
	struct indexer *indexer;
	struct replays *replays;   /* NULL: there is no spool yet */
	struct deadline next_look; /* for requests, and for complaints to be saved */
	struct deadline next_hand_on;
	struct destination *destinations[COUNTERS_DESTINATIONS];
	size_t count;
	int wake;      /* raised by the receiver; -1: none */
	int attention; /* raised by the destinations */
	int signals;
	bool stopping;
	bool stale;        /* see is_stale() */
	struct stat spool; /* the file that is read */
};

/* ---- the spool ---- */

static bool
look_at_spool(const struct forwarder *forwarder, struct stat *status)
{
	char path[4096];
	struct text text;

	text_start(&text, path, sizeof(path) - 1);
	text_append_string(&text, forwarder->config->spool.directory);
	text_append_string(&text, "/spool.db");
	path[text.length] = '\0';
	return !text.overflowed && stat(path, status) == 0;
}

/* The receiver set the file aside and began a fresh one: ours will never grow again. */
static bool
spool_was_replaced(const struct forwarder *forwarder)
{
	struct stat now;

	return look_at_spool(forwarder, &now) &&
	       (now.st_ino != forwarder->spool.st_ino || now.st_dev != forwarder->spool.st_dev);
}

/* A file that may be read was replaced by one that may not be: a new start may. */
static bool
is_stale(void)
{
	const char *path;

	if (!confine_files_are_stale(&path))
		return false;
	log_warning("confine", "%s was replaced; starting anew to read it", path);
	return true;
}

/* ---- waiting ---- */

/* There are new events in the spool. */
static void
hand_on(struct forwarder *forwarder)
{
	wake_clear(forwarder->wake);
	for (size_t i = 0; i < forwarder->count; i++)
		destination_wake(forwarder->destinations[i]);
	forwarder->next_hand_on = deadline_after(HAND_ON_INTERVAL);
}

/* Until something is told, at most `milliseconds`. */
static void
wait_for_news(struct forwarder *forwarder, int64_t milliseconds)
{
	int64_t rest = deadline_left(forwarder->next_hand_on);
	struct pollfd waits[] = {
	    {.fd = forwarder->signals, .events = POLLIN},
	    {.fd = forwarder->attention, .events = POLLIN},
	    {.fd = rest > 0 ? -1 : forwarder->wake, .events = POLLIN},
	};
	struct signalfd_siginfo signal;

	counters_beat(forwarder->counters, COUNTERS_LIFE_FORWARDER);
	if (milliseconds > SPOOL_INTERVAL)
		milliseconds = SPOOL_INTERVAL;
	if (rest > 0 && milliseconds > rest)
		milliseconds = rest;
	if (poll(waits, 3, (int)milliseconds) < 0) {
		if (errno != EINTR)
			memory_panic("forwarder: poll: %m");
		return;
	}
	if (waits[0].revents != 0 &&
	    read(forwarder->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal))
		forwarder->stopping = true;
	if (waits[1].revents != 0)
		wake_clear(forwarder->attention);
	if (waits[2].revents != 0)
		hand_on(forwarder);
}

/* Gives the reader once the receiver has made its spool; NULL: told to stop before that. */
static struct spool_reader *
wait_for_spool(struct forwarder *forwarder)
{
	struct spool_reader *reader = NULL;
	struct error error;
	bool told = false;

	while (!forwarder->stopping) {
		/* Before the file is opened: if it is replaced in between, that is seen later. */
		if (look_at_spool(forwarder, &forwarder->spool) &&
		    spool_reader_open(&reader, forwarder->config->spool.directory, &error))
			return reader;
		if (!told)
			log_info("spool", "waiting for the receiver to open it");
		told = true;
		wait_for_news(forwarder, 100);
	}
	return NULL;
}

/* ---- start ---- */

static bool
catch_signals(struct forwarder *forwarder, struct error *error)
{
	sigset_t signals;

	/* Before any thread: they inherit it, and this one alone reads the signal. */
	if (sigemptyset(&signals) != 0 || sigaddset(&signals, SIGTERM) != 0 ||
	    pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0)
		return error_set_errno(error, "signals cannot be set up");
	forwarder->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (forwarder->signals < 0)
		return error_set_errno(error, "signals cannot be read");
	return true;
}

/* *highest is raised to where it begins. */
static bool
begin_destination(struct forwarder *forwarder, size_t i, uint64_t epoch, uint64_t last,
		  uint64_t *highest, struct error *error)
{
	const struct config_destination *configuration = &forwarder->config->destinations[i];
	struct destination_settings settings = {
	    .configuration = configuration,
	    .spool_directory = forwarder->config->spool.directory,
	    .profiles = forwarder->profiles,
	    .counters = &forwarder->counters->destinations[i],
	    .attention = forwarder->attention,
	};

	/* ledger_begin() refuses more destinations than there are places for. */
	if (!ledger_begin(forwarder->ledger, configuration->name, epoch, last, &settings.start,
			  error) ||
	    !ledger_recall(forwarder->ledger, configuration, &settings.acks, error) ||
	    !destination_new(&forwarder->destinations[i], &settings, error))
		return false;
	forwarder->count = i + 1;
	if (settings.start.sequence > *highest)
		*highest = settings.start.sequence;
	return true;
}

/* Each destination at its place in the spool, none of them running yet. */
static bool
begin_destinations(struct forwarder *forwarder, struct error *error)
{
	struct spool_reader *reader = wait_for_spool(forwarder);
	const struct unrouted_settings settings = {
	    .config = forwarder->config,
	    .profiles = forwarder->profiles,
	    .counters = forwarder->counters,
	};
	uint64_t highest = 0;
	uint64_t first;
	uint64_t last;
	uint64_t epoch;
	bool done;

	if (reader == NULL)
		return true;
	epoch = spool_reader_epoch(reader);
	forwarder->replays =
	    replays_new(forwarder->ledger, forwarder->config->spool.directory, epoch);
	done = spool_reader_range(reader, &first, &last, error);
	for (size_t i = 0; done && i < forwarder->config->destinations_count; i++)
		done = begin_destination(forwarder, i, epoch, last, &highest, error);
	forwarder->unrouted = unrouted_new(&settings, reader, highest);
	return done;
}

static bool
start(struct forwarder *forwarder, const struct child_inheritance *inheritance, struct error *error)
{
	forwarder->wake = inheritance->wake;
	return catch_signals(forwarder, error) && wake_open(&forwarder->attention, error) &&
	       counters_map(inheritance->counters, &forwarder->counters, error) &&
	       profiles_new(&forwarder->profiles, forwarder->config, error) &&
	       ledger_open(&forwarder->ledger, forwarder->config->spool.directory, error) &&
	       begin_destinations(forwarder, error) &&
	       child_confine(inheritance, forwarder->config, error);
}

/* ---- the loop ---- */

static void
save(struct forwarder *forwarder)
{
	struct error error;

	if (!ledger_save(forwarder->ledger, forwarder->destinations, forwarder->count, &error))
		log_error("delivery", "cursors cannot be saved: %s; trying again", error.text);
}

/* What nothing wakes us for. */
static void
look_around(struct forwarder *forwarder)
{
	if (!deadline_passed(forwarder->next_look))
		return;
	forwarder->next_look = deadline_after(LOOK_INTERVAL);
	forwarder->stale = is_stale();
	ledger_complain(forwarder->ledger, forwarder->destinations, forwarder->count);
	if (forwarder->replays != NULL)
		replays_tend(forwarder->replays, forwarder->destinations, forwarder->count);
}

static void
tend(struct forwarder *forwarder)
{
	int64_t left;
	bool more;

	ledger_gather(forwarder->ledger, forwarder->destinations, forwarder->count);
	if (ledger_due(forwarder->ledger) == 0)
		save(forwarder);
	look_around(forwarder);
	left = deadline_left(forwarder->next_look);
	if (ledger_due(forwarder->ledger) < left)
		left = ledger_due(forwarder->ledger);
	more = forwarder->unrouted != NULL && unrouted_look(forwarder->unrouted);
	wait_for_news(forwarder, more ? 0 : left);
}

static bool
all_finished(struct forwarder *forwarder)
{
	bool all = true;

	for (size_t i = 0; i < forwarder->count; i++)
		if (!destination_has_finished(forwarder->destinations[i]))
			all = false;
	return all;
}

/* True where every thread has ended; all that they confirmed is saved either way. */
static bool
stop_destinations(struct forwarder *forwarder)
{
	struct deadline deadline = deadline_after(STOP_DEADLINE);
	bool finished;

	for (size_t i = 0; i < forwarder->count; i++)
		destination_stop(forwarder->destinations[i]);
	while (!(finished = all_finished(forwarder)) && !deadline_passed(deadline))
		tend(forwarder);
	ledger_gather(forwarder->ledger, forwarder->destinations, forwarder->count);
	if (ledger_due(forwarder->ledger) != INT64_MAX)
		save(forwarder);
	return finished;
}

/* Runs the destinations until told to stop: the exit status. */
static int
run(struct forwarder *forwarder)
{
	struct error error;
	int status = CHILD_EXIT_OK;
	size_t started = 0;

	while (started < forwarder->count) {
		if (!destination_start(forwarder->destinations[started], &error)) {
			log_error("forwarder", "%s", error.text);
			status = CHILD_EXIT_FAILED;
			break;
		}
		started++;
	}
	if (status == CHILD_EXIT_OK &&
	    !indexer_start(&forwarder->indexer, forwarder->config->spool.directory, &error))
		log_warning("index", "%s", error.text);
	while (!forwarder->stopping && status == CHILD_EXIT_OK) {
		tend(forwarder);
		if (spool_was_replaced(forwarder)) {
			log_error("spool", "it was begun afresh; starting anew to read that");
			status = CHILD_EXIT_FAILED;
		} else if (forwarder->stale) {
			status = CHILD_EXIT_FAILED;
		}
	}
	indexer_stop(forwarder->indexer);
	forwarder->count = started;
	if (!stop_destinations(forwarder))
		_exit(status); /* a thread still uses what would be freed */
	return status;
}

static void
release(struct forwarder *forwarder)
{
	for (size_t i = 0; i < COUNTERS_DESTINATIONS; i++)
		destination_free(forwarder->destinations[i]);
	replays_free(forwarder->replays);
	ledger_close(forwarder->ledger);
	unrouted_free(forwarder->unrouted);
	profiles_free(forwarder->profiles);
	if (forwarder->attention >= 0)
		close(forwarder->attention);
	if (forwarder->signals >= 0)
		close(forwarder->signals);
	config_free(forwarder->config);
}

/*
 * A sender waits for its answer, and may give up; what is in the spool waits as long as it
 * must.  So where the processor is not enough for both, it is the receiver's.  (Our unit
 * forbids it: there Nice= or CPUWeight= of systemd say so.)
 */
static void
let_receiver_first(void)
{
	if (setpriority(PRIO_PROCESS, 0, FORWARDER_NICE) != 0)
		log_debug("start", "runs with the receiver's priority: %m");
}

int
forwarder_run(const struct child_inheritance *inheritance)
{
	struct forwarder forwarder = {.attention = -1, .signals = -1};
	struct error error;
	int status;

	let_receiver_first();
	if (!config_read(&forwarder.config, inheritance->config_path, &error)) {
		log_error("config", "%s", error.text);
		return CHILD_EXIT_CONFIGURATION;
	}
	if (start(&forwarder, inheritance, &error)) {
		status = run(&forwarder);
	} else {
		log_error("forwarder", "%s", error.text);
		status = CHILD_EXIT_FAILED;
	}
	release(&forwarder);
	return status;
}
