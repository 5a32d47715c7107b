/*
 * Start: everything that can fail does so before the first connection is taken,
 * and the spool is opened, which makes durable what a crash left, before the first
 * answer is given.
 *
 * End: by SIGTERM, or when the spool broke.  The latter is the same way with
 * another status: the loops send the 503s that the commit thread has given them,
 * and the next start is the same code as after a power cut.
 */
#include "bridge/receiver/receiver.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/receiver/client_certificate.h"
#include "bridge/receiver/commit.h"
#include "bridge/receiver/limit.h"
#include "bridge/receiver/loop.h"
#include "bridge/receiver/polled.h"
#include "bridge/receiver/report.h"
#include "bridge/receiver/secret_use.h"
#include "bridge/receiver/silence.h"
#include "bridge/receiver/tls_memory.h"
#include "bridge/tls_server.h"
#include "bridge/receiver/verify.h"
#include "bridge/spool/delivery.h"
#include "bridge/spool/spool.h"
#include "bridge/spool/spool_room.h"
#include "bridge/wake.h"
#include "formats/memory.h"
#include "formats/normalise.h"

enum {
	BEAT = 1000,                 /* milliseconds between signs of life */
	HEAP_PAD = 256 * 1024,       /* bytes taken from the kernel at a time */
	HEAP_TRIM = 2 * 1024 * 1024, /* free bytes at the top that are given back */
	SPARE_FILES = 64,
};

struct receiver {
	struct config *config;
	struct counters *counters;
	struct tls_server *server;
	struct request_source *sources;
	struct verify **verifiers;
	struct normalise **profiles;
	struct client_certificate **clients;
	struct report *report; /* NULL where no source wants one */
	struct limit *limit;
	struct spool *spool;
	struct commit *commit;
	struct polled *polled;     /* NULL where no source polls */
	struct silence *silence;   /* NULL where no source has one */
	const char **destinations; /* their names; borrowed ones */
	struct loop_settings settings;
	struct loop *loops[CHILD_LISTEN_SOCKETS];
	size_t loop_count;
	int signals; /* signalfd */
	int broken;  /* wake: the spool is not to be written any more */
};

static void
on_libevent_log(int severity, const char *message)
{
	if (severity == EVENT_LOG_DEBUG)
		log_debug("libevent", "%s", message);
	else
		log_warning("libevent", "%s", message);
}

static void
on_libevent_fatal(int status)
{
	(void)status;
	memory_panic("libevent gave up; its reason is the log line before this one");
}

static void
on_broken(void *context)
{
	wake_raise(((struct receiver *)context)->broken);
}

/* So many that a descriptor is left for each, and some for what else is open. */
static uint32_t
most_connections(uint32_t configured)
{
	struct rlimit limit;
	uint64_t possible = UINT64_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		possible = limit.rlim_cur > SPARE_FILES + SPARE_FILES ? limit.rlim_cur - SPARE_FILES
								      : SPARE_FILES;
	if (configured <= possible)
		return configured;
	log_warning("listen",
		    "max_connections is %u here, not %u: no more files may be open; raise "
		    "LimitNOFILE or ulimit -n",
		    (unsigned)possible, configured);
	return (uint32_t)possible;
}

static struct limit *
make_limit(const struct config *config)
{
	const struct config_listen *listen = &config->listen;
	const struct limit_settings settings = {
	    .connections = most_connections(listen->max_connections),
	    .connections_per_address = listen->max_connections_per_address,
	    .handshake_rate = listen->handshake_rate,
	    .request_rate = listen->request_rate,
	    .refusal_rate = listen->refusal_rate,
	    .memory = listen->max_memory,
	};

	return limit_new(&settings, config->sources_count);
}

/*
 * A TLS session takes and gives back its two 16 KiB buffers with every request
 * (SSL_MODE_RELEASE_BUFFERS: thousands of idle ones hold none); untold, glibc gives
 * them back to the kernel each time.
 */
static void
tune_heap(void)
{
	/* without fast bins: each larger piece that is asked for would have them all merged */
	if (mallopt(M_TOP_PAD, HEAP_PAD) != 1 || mallopt(M_TRIM_THRESHOLD, HEAP_TRIM) != 1 ||
	    mallopt(M_MXFAST, 0) != 1)
		log_warning("start", "the heap cannot be tuned; requests will cost a little more");
}

/* SIGTERM is read from a descriptor, in this thread; the loops inherit the mask. */
static bool
prepare_signals(struct receiver *receiver, struct error *error)
{
	sigset_t stop;

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	if (pthread_sigmask(SIG_BLOCK, &stop, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return error_set_errno(error, "cannot set up signals");
	receiver->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (receiver->signals < 0)
		return error_set_errno(error, "cannot wait for signals");
	return wake_open(&receiver->broken, error);
}

static bool
prepare_sources(struct receiver *receiver, struct error *error)
{
	size_t count = receiver->config->sources_count;

	receiver->sources = memory_allocate_array(count, sizeof(*receiver->sources));
	receiver->verifiers = memory_allocate_array(count, sizeof(struct verify *));
	receiver->profiles = memory_allocate_array(count, sizeof(struct normalise *));
	receiver->clients = memory_allocate_array(count, sizeof(struct client_certificate *));
	for (size_t i = 0; i < count; i++) {
		const struct config_source *source = &receiver->config->sources[i];

		if (!verify_new(&receiver->verifiers[i], source, error) ||
		    !normalise_new_with(&receiver->profiles[i], &source->reading, error) ||
		    !client_certificate_new(&receiver->clients[i], source, error))
			return error_prefix(error, "source %s", source->name);
		receiver->sources[i].config = source;
		receiver->sources[i].verify = receiver->verifiers[i];
		receiver->sources[i].normalise = receiver->profiles[i];
		receiver->sources[i].client = receiver->clients[i];
		receiver->sources[i].body_limit = receiver->config->listen.max_body_size;
		if (source->report_invalid && receiver->report == NULL)
			receiver->report = report_new(count);
		if (source->signature == CONFIG_SIGNATURE_NONE)
			log_warning("signature",
				    "source %s has signature: none; whoever reaches %s can post "
				    "events",
				    source->name, source->path);
	}
	return true;
}

/* What is kept is decided by who has to have it. */
static void
keep(struct receiver *receiver)
{
	const struct config *config = receiver->config;

	receiver->destinations = memory_allocate_array(config->destinations_count, sizeof(char *));
	for (size_t i = 0; i < config->destinations_count; i++)
		receiver->destinations[i] = config->destinations[i].name;
	commit_keep(receiver->commit, config->spool.directory, receiver->destinations,
		    config->destinations_count, config->spool.retention);
}

static bool
open_server(struct receiver *receiver, struct error *error)
{
	const struct config_listen *listen = &receiver->config->listen;
	struct error unstapled;

	if (!tls_server_new(&receiver->server, listen->certificate, listen->private_key, error))
		return false;
	/* a client that insists on it is one that is lost; without the others would be too */
	if (listen->ocsp_response != NULL &&
	    !tls_server_staple(receiver->server, listen->ocsp_response, &unstapled))
		log_warning("listen", "no OCSP response is stapled: %s", unstapled.text);
	for (unsigned i = 0; i < receiver->config->sources_count; i++) {
		const char *ca_file = receiver->config->sources[i].client_ca_file;

		if (ca_file != NULL && !tls_server_ask_clients(receiver->server, ca_file, error))
			return false;
	}
	return true;
}

static bool
open_spool(struct receiver *receiver, struct error *error)
{
	const struct config_spool *config = &receiver->config->spool;
	struct error alarm = {.text = ""};
	uint64_t floor;

	/* the forwarder will put it aside; what the head file knows is enough for the numbers */
	if (!delivery_highest(config->directory, &floor, error))
		log_warning("delivery", "the cursors cannot be read: %s", error->text);
	if (!spool_open(&receiver->spool, config->directory, config->max_size, floor, &alarm,
			error))
		return false;
	if (alarm.text[0] != '\0')
		log_error("spool", "%s", alarm.text);
	spool_room_reserve(receiver->spool, config->reserve, config->reserve_text == NULL);
	return true;
}

static bool
start_commit(struct receiver *receiver, int wake, struct error *error)
{
	if (!commit_start(&receiver->commit, receiver->spool, wake, receiver->counters, on_broken,
			  receiver, error))
		return false;
	keep(receiver);
	return true;
}

static bool
start_loops(struct receiver *receiver, const struct child_inheritance *inheritance,
	    struct error *error)
{
	const struct config_listen *listen = &receiver->config->listen;

	receiver->limit = make_limit(receiver->config);
	receiver->settings = (struct loop_settings){
	    .server = receiver->server,
	    .limits = {.max_body_size = listen->max_body_size,
		       .handshake_timeout = listen->handshake_timeout,
		       .header_timeout = listen->header_timeout,
		       .body_timeout = listen->body_timeout,
		       .idle_timeout = listen->idle_timeout},
	    .limit = receiver->limit,
	    .sources = receiver->sources,
	    .source_count = receiver->config->sources_count,
	    .commit = receiver->commit,
	    .report = receiver->report,
	    .counters = receiver->counters,
	};
	if (inheritance->listen_count == 0)
		return error_set(error, "no listening socket was handed down");
	for (size_t i = 0; i < inheritance->listen_count; i++) {
		if (!loop_start(&receiver->loops[i], &receiver->settings, inheritance->listen[i],
				error))
			return false;
		receiver->loop_count++;
	}
	return true;
}

/* For the supervisor: a loop that hangs serves nobody, and the others hide it. */
static void
say_that_all_live(const struct receiver *receiver)
{
	for (size_t i = 0; i < receiver->loop_count; i++)
		if (!loop_is_alive(receiver->loops[i]))
			return;
	counters_beat(receiver->counters, COUNTERS_LIFE_RECEIVER);
}

/* Waits to be told to stop; false: the spool is broken. */
static bool
wait_for_end(const struct receiver *receiver)
{
	struct pollfd ends[] = {{.fd = receiver->signals, .events = POLLIN},
				{.fd = receiver->broken, .events = POLLIN}};
	struct deadline tell = deadline_after(SECRET_USE_PERIOD);
	int ready;

	do {
		say_that_all_live(receiver);
		if (deadline_passed(tell)) {
			secret_use_tell(receiver->config, receiver->counters, deadline_wall());
			tell = deadline_after(SECRET_USE_PERIOD);
		}
		ready = poll(ends, 2, BEAT);
		if (ready < 0 && errno != EINTR)
			memory_panic("poll(2) failed: %d", errno);
	} while (ready <= 0);
	return ends[1].revents == 0;
}

static void
stop_loops(struct receiver *receiver)
{
	for (size_t i = 0; i < receiver->loop_count; i++)
		loop_stop(receiver->loops[i]);
	for (size_t i = 0; i < receiver->loop_count; i++)
		loop_join(receiver->loops[i]);
}

static void
release(struct receiver *receiver)
{
	silence_stop(receiver->silence);
	polled_stop(receiver->polled);
	if (receiver->commit != NULL)
		commit_stop(receiver->commit);
	silence_free(receiver->silence);
	polled_free(receiver->polled);
	for (size_t i = 0; i < receiver->loop_count; i++)
		loop_free(receiver->loops[i]);
	if (receiver->spool != NULL)
		spool_close(receiver->spool);
	if (receiver->sources != NULL) {
		for (size_t i = 0; i < receiver->config->sources_count; i++) {
			verify_free(receiver->verifiers[i]);
			normalise_free(receiver->profiles[i]);
			client_certificate_free(receiver->clients[i]);
		}
	}
	report_free(receiver->report);
	limit_free(receiver->limit);
	free(receiver->destinations);
	free(receiver->clients);
	free(receiver->profiles);
	free(receiver->verifiers);
	free(receiver->sources);
	tls_server_free(receiver->server);
	if (receiver->signals >= 0)
		(void)close(receiver->signals);
	if (receiver->broken >= 0)
		(void)close(receiver->broken);
	config_free(receiver->config);
}

static bool
start(struct receiver *receiver, const struct child_inheritance *inheritance, struct error *error)
{
	return counters_map(inheritance->counters, &receiver->counters, error) &&
	       prepare_signals(receiver, error) && prepare_sources(receiver, error) &&
	       open_server(receiver, error) && open_spool(receiver, error) &&
	       polled_open(&receiver->polled, receiver->config, error) &&
	       child_confine(inheritance, receiver->config, error) &&
	       start_commit(receiver, inheritance->wake, error) &&
	       silence_start(&receiver->silence, receiver->config, receiver->commit, error) &&
	       polled_start(receiver->polled, receiver->sources, receiver->config->sources_count,
			    receiver->commit, receiver->counters, error) &&
	       start_loops(receiver, inheritance, error);
}

int
receiver_run(const struct child_inheritance *inheritance)
{
	struct receiver receiver = {.signals = -1, .broken = -1};
	struct error error;
	int status = CHILD_EXIT_OK;

	tls_memory_use();
	if (!config_read(&receiver.config, inheritance->config_path, &error)) {
		log_error("config", "%s", error.text);
		return CHILD_EXIT_CONFIGURATION;
	}
	event_set_log_callback(on_libevent_log);
	event_set_fatal_callback(on_libevent_fatal);
	tune_heap();
	if (!start(&receiver, inheritance, &error)) {
		log_error("start", "%s", error.text);
		status = CHILD_EXIT_FAILED;
	} else {
		log_info("listen", "%s is served by %zu loops", receiver.config->listen.address,
			 receiver.loop_count);
		if (!wait_for_end(&receiver))
			status = CHILD_EXIT_FAILED;
	}
	stop_loops(&receiver);
	release(&receiver);
	return status;
}
