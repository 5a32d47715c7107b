/*
 * The loop against a real spool, a real delivery.db and a collector of our own,
 * which can be killed, mute or slow.
 */
#include "bridge/forwarder/destination.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/ledger.h"
#include "bridge/spool/database.h"
#include "bridge/spool/spool.h"
#include "bridge/wake.h"
#include "formats/memory.h"

enum {
	PATIENCE = 20000,    /* milliseconds until a test gives up */
	QUIET = 200,         /* milliseconds without any progress */
	SETTLE = 60,         /* milliseconds */
	SETTLE_LOADED = 400, /* where a collector of a busy machine must keep up with it */
	MOST = 100000,       /* messages a collector can remember */
	KILLS = 3,
};

static const char broken_body[] = "{\"type\":";

/* ---- a collector ---- */

/* Reads lines that end in " SEQUENCE" and remembers the numbers. */
struct collector {
	int listener;
	char address[32];
	pthread_t thread;
	atomic_bool stopping;
	bool mute;           /* accepts and never reads */
	size_t kills[KILLS]; /* resets the connection once it has read that many; 0: no more */
	size_t killed;

	pthread_mutex_t lock; /* for what follows */
	uint64_t *sequences;
	size_t count;
	size_t connections;
	uint64_t first[KILLS + 1]; /* sequence on each connection */
	uint64_t last[KILLS + 1];
};

static void
take_line(struct collector *collector, const char *line, size_t length)
{
	struct slice digits = {line, length};
	uint64_t sequence = 0;
	const char *space = memrchr(line, ' ', length);
	size_t connection = collector->connections - 1;

	assert_non_null(space);
	digits.length = (size_t)(line + length - space) - 1;
	digits.bytes = space + 1;
	assert_true(text_parse_unsigned(digits, UINT64_MAX, &sequence));
	assert_true(collector->count < MOST);
	collector->sequences[collector->count++] = sequence;
	if (collector->first[connection] == 0)
		collector->first[connection] = sequence;
	collector->last[connection] = sequence;
}

static bool
is_due_to_die(const struct collector *collector)
{
	return collector->killed < KILLS && collector->kills[collector->killed] != 0 &&
	       collector->count >= collector->kills[collector->killed];
}

/* True where all of it was read before the kill. */
static bool
take_lines(struct collector *collector, char *bytes, size_t *length)
{
	char *line = bytes;
	char *end;
	bool alive = true;

	pthread_mutex_lock(&collector->lock);
	while (alive && (end = memchr(line, '\n', *length - (size_t)(line - bytes))) != NULL) {
		take_line(collector, line, (size_t)(end - line));
		line = end + 1;
		alive = !is_due_to_die(collector);
	}
	pthread_mutex_unlock(&collector->lock);
	*length -= (size_t)(line - bytes);
	memmove(bytes, line, *length);
	return alive;
}

static void
serve(struct collector *collector, int connection)
{
	static _Thread_local char bytes[1 << 14];
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	size_t length = 0;

	while (!atomic_load(&collector->stopping)) {
		struct pollfd wait = {.fd = connection, .events = POLLIN};
		ssize_t more;

		if (collector->mute) {
			(void)poll(NULL, 0, 5);
			continue;
		}
		if (poll(&wait, 1, 5) == 0)
			continue;
		more = recv(connection, bytes + length, sizeof(bytes) - length, 0);
		if (more <= 0)
			break;
		length += (size_t)more;
		if (!take_lines(collector, bytes, &length)) {
			/* As a kill -9 does with bytes unread: a reset. */
			setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
			collector->killed++;
			break;
		}
	}
	close(connection);
}

static void *
collect(void *context)
{
	struct collector *collector = context;

	while (!atomic_load(&collector->stopping)) {
		struct pollfd wait = {.fd = collector->listener, .events = POLLIN};
		int connection;

		if (poll(&wait, 1, 5) == 0)
			continue;
		connection = accept(collector->listener, NULL, NULL);
		pthread_mutex_lock(&collector->lock);
		collector->connections++;
		pthread_mutex_unlock(&collector->lock);
		serve(collector, connection);
	}
	return NULL;
}

static struct collector *
collector_start(bool mute, size_t first_kill, size_t second_kill, size_t third_kill)
{
	struct collector *collector = memory_allocate(sizeof(*collector));
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);

	collector->mute = mute;
	collector->kills[0] = first_kill;
	collector->kills[1] = second_kill;
	collector->kills[2] = third_kill;
	collector->sequences = memory_allocate_array(MOST, sizeof(uint64_t));
	assert_int_equal(pthread_mutex_init(&collector->lock, NULL), 0);
	collector->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(collector->listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(collector->listener, 8), 0);
	assert_int_equal(getsockname(collector->listener, (struct sockaddr *)&address, &length), 0);
	snprintf(collector->address, sizeof(collector->address), "127.0.0.1:%d",
		 ntohs(address.sin_port));
	assert_int_equal(pthread_create(&collector->thread, NULL, collect, collector), 0);
	return collector;
}

static void
collector_stop(struct collector *collector)
{
	atomic_store(&collector->stopping, true);
	assert_int_equal(pthread_join(collector->thread, NULL), 0);
}

static void
collector_free(struct collector *collector)
{
	close(collector->listener);
	pthread_mutex_destroy(&collector->lock);
	free(collector->sequences);
	free(collector);
}

/* Every one of from..to at least once, and each for the first time in its order. */
static void
assert_complete(struct collector *collector, uint64_t from, uint64_t to)
{
	uint64_t next = from;

	pthread_mutex_lock(&collector->lock);
	for (size_t i = 0; i < collector->count; i++) {
		if (collector->sequences[i] > next)
			fail_msg("%llu came before %llu",
				 (unsigned long long)collector->sequences[i],
				 (unsigned long long)next);
		if (collector->sequences[i] == next)
			next++;
	}
	pthread_mutex_unlock(&collector->lock);
	assert_int_equal(next, to + 1);
}

static size_t
received(struct collector *collector)
{
	size_t count;

	pthread_mutex_lock(&collector->lock);
	count = collector->count;
	pthread_mutex_unlock(&collector->lock);
	return count;
}

/* ---- a spool, and one destination of it ---- */

static void
write_sequence(const struct event *event, const struct format_options *options, struct text *text)
{
	(void)options;
	text_append_string(text, "<109>1 - - - - - - ");
	text_append_slice(text, event->fields[FIELD_TYPE]);
	text_append_byte(text, ' ');
	text_append_unsigned(text, event->sequence);
}

static void
write_nothing_that_fits(const struct event *event, const struct format_options *options,
			struct text *text)
{
	if (event->sequence == 2)
		text->overflowed = true;
	else
		write_sequence(event, options, text);
}

static void
write_wide(const struct event *event, const struct format_options *options, struct text *text)
{
	for (int i = 0; i < 100; i++)
		text_append_string(text, "wide wide ");
	write_sequence(event, options, text);
}

static const struct format wide_format = {"wide", "", FORMAT_COMPLETE, write_wide};
static const struct format sequence_format = {"sequence", "", FORMAT_COMPLETE, write_sequence};
static const struct format narrow_format = {"narrow", "", FORMAT_COMPLETE, write_nothing_that_fits};

struct fixture {
	char directory[64];
	char path[96]; /* of a file or socket in it */
	struct spool *spool;
	char *events[1];
	struct config config;
	struct config_source source;
	struct config_destination configuration;
	struct config_syslog syslog;
	struct config_file file;
	struct profiles *profiles;
	struct counters_destination counters;
	struct ledger *ledger;
	struct destination *destination;
	int attention;
};

static char everything[] = "*";
static char keys_only[] = "key.*";
static char source_name[] = "anyint";
static char destination_name_text[] = "siem";
static char profile_name[] = "anyint";

static int
set_up(void **state)
{
	struct fixture *fixture = memory_allocate(sizeof(*fixture));
	struct error alarm = {.text = ""};
	struct error error = {.text = ""};

	snprintf(fixture->directory, sizeof(fixture->directory), "%s",
		 "/tmp/siembridge-destination-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->path, sizeof(fixture->path), "%s/out", fixture->directory);
	fixture->source.name = source_name;
	fixture->source.profile = profile_name;
	fixture->config.sources = &fixture->source;
	fixture->config.sources_count = 1;
	fixture->events[0] = everything;
	fixture->configuration.name = destination_name_text;
	fixture->configuration.events = fixture->events;
	fixture->configuration.events_count = 1;
	fixture->configuration.format = &sequence_format;
	fixture->syslog.framing = CONFIG_FRAMING_LF;
	fixture->syslog.settle = SETTLE;
	fixture->syslog.max_message_size = 1180;
	fixture->file.path = fixture->path;
	if (!spool_open(&fixture->spool, fixture->directory, 0, 0, &alarm, &error) ||
	    !profiles_new(&fixture->profiles, &fixture->config, &error) ||
	    !wake_open(&fixture->attention, &error))
		fail_msg("%s", error.text);
	*state = fixture;
	return 0;
}

/* `count` more events of a type and body. */
static void
append(struct fixture *fixture, size_t count, const char *type, const char *body)
{
	enum { AT_ONCE = 1000 };
	static struct spool_event events[AT_ONCE];
	struct error error;

	while (count > 0) {
		size_t now = count < AT_ONCE ? count : AT_ONCE;

		for (size_t i = 0; i < now; i++) {
			memset(&events[i], 0, sizeof(events[i]));
			events[i].source = SLICE_LITERAL("anyint");
			events[i].id = SLICE_LITERAL("msg_1");
			events[i].type = text_of(type);
			events[i].evidence = SLICE_LITERAL("");
			events[i].body = text_of(body);
		}
		if (spool_append(fixture->spool, events, now, NULL, 0, &error) != SPOOL_DONE)
			fail_msg("%s", error.text);
		count -= now;
	}
	if (fixture->destination != NULL)
		destination_wake(fixture->destination);
}

static void
append_keys(struct fixture *fixture, size_t count)
{
	append(fixture, count, "key.created", "{\"type\":\"key.created\",\"id\":\"evt_1\"}");
}

static void
start(struct fixture *fixture)
{
	struct destination_settings settings = {
	    .configuration = &fixture->configuration,
	    .spool_directory = fixture->directory,
	    .profiles = fixture->profiles,
	    .counters = &fixture->counters,
	    .attention = fixture->attention,
	};
	struct spool_reader *reader;
	struct error error;
	uint64_t first;
	uint64_t last;

	if (!spool_reader_open(&reader, fixture->directory, &error) ||
	    !spool_reader_range(reader, &first, &last, &error) ||
	    !ledger_open(&fixture->ledger, fixture->directory, &error) ||
	    !ledger_begin(fixture->ledger, fixture->configuration.name, spool_reader_epoch(reader),
			  last, &settings.start, &error) ||
	    !destination_new(&fixture->destination, &settings, &error) ||
	    !destination_start(fixture->destination, &error))
		fail_msg("%s", error.text);
	spool_reader_close(reader);
}

/* What the forwarder's main thread does in one turn. */
static void
tend(struct fixture *fixture)
{
	struct pollfd wait = {.fd = fixture->attention, .events = POLLIN};
	struct error error;

	ledger_gather(fixture->ledger, &fixture->destination, 1);
	if (ledger_due(fixture->ledger) == 0 &&
	    !ledger_save(fixture->ledger, &fixture->destination, 1, &error))
		fail_msg("%s", error.text);
	if (poll(&wait, 1, 5) > 0)
		wake_clear(fixture->attention);
}

static void
stop(struct fixture *fixture)
{
	struct deadline deadline = deadline_after(PATIENCE);

	destination_stop(fixture->destination);
	while (!destination_has_finished(fixture->destination)) {
		assert_false(deadline_passed(deadline));
		tend(fixture);
	}
	do
		tend(fixture);
	while (ledger_due(fixture->ledger) != INT64_MAX);
	destination_free(fixture->destination);
	ledger_close(fixture->ledger);
	fixture->destination = NULL;
	fixture->ledger = NULL;
}

static void
await_confirmed(struct fixture *fixture, uint64_t sequence)
{
	struct deadline deadline = deadline_after(PATIENCE);

	while (atomic_load(&fixture->counters.confirmed) < sequence) {
		if (deadline_passed(deadline))
			fail_msg("confirmed up to %llu of %llu",
				 (unsigned long long)atomic_load(&fixture->counters.confirmed),
				 (unsigned long long)sequence);
		tend(fixture);
	}
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	static const char *const files[] = {
	    "spool.db",    "spool.db-wal",    "spool.db-shm",    "head", "lock",
	    "delivery.db", "delivery.db-wal", "delivery.db-shm", "out",  "out.1"};

	if (fixture->destination != NULL)
		stop(fixture);
	spool_close(fixture->spool);
	profiles_free(fixture->profiles);
	close(fixture->attention);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s/%s", fixture->directory, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

static void
use_collector(struct fixture *fixture, struct collector *collector)
{
	fixture->syslog.address = collector->address;
	fixture->configuration.syslog = &fixture->syslog;
}

static struct delivery_cursor
saved_cursor(const struct fixture *fixture)
{
	struct delivery_cursor cursor = {.destination = fixture->configuration.name};
	struct delivery *delivery;
	struct error error;

	if (!delivery_open(&delivery, fixture->directory, &error) ||
	    !delivery_load(delivery, &cursor, &error))
		fail_msg("%s", error.text);
	delivery_close(delivery);
	return cursor;
}

/* Of the dead letters in delivery.db; `what` is an SQL expression that gives a number. */
static int64_t
ask_dead(const struct fixture *fixture, const char *what)
{
	struct database *database;
	char path[160];
	char query[128];
	int64_t number = 0;
	struct error error;

	snprintf(path, sizeof(path), "%s/delivery.db", fixture->directory);
	snprintf(query, sizeof(query), "SELECT %s FROM dead", what);
	if (!database_open(&database, path, DATABASE_READ_ONLY, &error) ||
	    !database_query_number(database, query, &number, &error))
		fail_msg("%s", error.text);
	database_close(database);
	return number;
}

/* ---- what must hold ---- */

static void
everything_arrives_once_and_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct collector *collector = collector_start(false, 0, 0, 0);

	use_collector(fixture, collector);
	append_keys(fixture, 3000);
	start(fixture);
	await_confirmed(fixture, 3000);
	append_keys(fixture, 1); /* a lone one */
	await_confirmed(fixture, 3001);
	assert_complete(collector, 1, 3001);
	assert_int_equal(received(collector), 3001);
	assert_int_equal(atomic_load(&fixture->counters.sent), 3001);
	assert_int_equal(atomic_load(&fixture->counters.breaks), 0);
	stop(fixture);
	assert_int_equal(saved_cursor(fixture).sequence, 3001);
	assert_int_equal(saved_cursor(fixture).number, 3001);
	collector_stop(collector);
	collector_free(collector);
}

static void
nothing_is_confirmed_before_settle(void **state)
{
	struct fixture *fixture = *state;
	struct collector *collector = collector_start(false, 0, 0, 0);
	int64_t sent;

	use_collector(fixture, collector);
	fixture->syslog.settle = 300;
	append_keys(fixture, 1);
	sent = deadline_now();
	start(fixture);
	await_confirmed(fixture, 1);
	assert_true(deadline_now() - sent >= 300);
	stop(fixture);
	collector_stop(collector);
	collector_free(collector);
}

static void
a_collector_killed_three_times_costs_duplicates_and_no_loss(void **state)
{
	struct fixture *fixture = *state;
	struct collector *collector = collector_start(false, 500, 4000, 9000);

	fixture->syslog.settle = SETTLE_LOADED;
	use_collector(fixture, collector);
	append_keys(fixture, 10000);
	start(fixture);
	await_confirmed(fixture, 10000);
	stop(fixture);
	collector_stop(collector);
	assert_int_equal(collector->killed, KILLS);
	assert_complete(collector, 1, 10000);
	/* A new connection goes back no further than to what was not confirmed ... */
	for (size_t i = 1; i < collector->connections; i++) {
		assert_true(collector->first[i] <= collector->last[i - 1] + 1);
		assert_true(collector->first[i] >= collector->first[i - 1]);
	}
	/* ... so that each kill costs at most what was read by then. */
	assert_true(received(collector) <= 10000 + 500 + 4000 + 9000);
	assert_true(atomic_load(&fixture->counters.breaks) >= KILLS);
	collector_free(collector);
}

static void
what_was_confirmed_is_not_sent_again(void **state)
{
	struct fixture *fixture = *state;
	struct collector *collector = collector_start(false, 1001, 0, 0);

	fixture->syslog.settle = SETTLE_LOADED;
	use_collector(fixture, collector);
	append_keys(fixture, 1000);
	start(fixture);
	await_confirmed(fixture, 1000);
	append_keys(fixture, 1000); /* the first of them kills it */
	await_confirmed(fixture, 2000);
	assert_complete(collector, 1, 2000);
	assert_int_equal(collector->first[1], 1001);
	assert_int_equal(received(collector), 2001);
	stop(fixture);
	collector_stop(collector);
	collector_free(collector);
}

static void
a_collector_that_never_reads_holds_neither_us_nor_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct collector *collector = collector_start(true, 0, 0, 0);
	struct deadline deadline = deadline_after(PATIENCE);
	struct deadline quiet = deadline_after(QUIET);
	uint64_t sent = 0;
	int64_t told;

	use_collector(fixture, collector);
	fixture->configuration.format = &wide_format;
	append_keys(fixture, 20000); /* 20 MB: more than the socket buffers of both sides */
	start(fixture);
	while (sent == 0 || !deadline_passed(quiet)) {
		assert_false(deadline_passed(deadline));
		tend(fixture);
		if (atomic_load(&fixture->counters.sent) != sent)
			quiet = deadline_after(QUIET);
		sent = atomic_load(&fixture->counters.sent);
	}
	assert_true(sent < 20000);
	/* Half a window may be taken for read (settle.h), no more than that. */
	assert_true(atomic_load(&fixture->counters.confirmed) < sent / 2);
	told = deadline_now();
	stop(fixture);
	assert_true(deadline_now() - told < DESTINATION_DRAIN + 1000);
	collector_stop(collector);
	collector_free(collector);
}

static void
it_resumes_from_the_saved_cursor_and_its_count(void **state)
{
	struct fixture *fixture = *state;
	struct collector *collector = collector_start(false, 0, 0, 0);

	use_collector(fixture, collector);
	append_keys(fixture, 100);
	start(fixture);
	await_confirmed(fixture, 100);
	stop(fixture);
	append_keys(fixture, 50);
	start(fixture);
	await_confirmed(fixture, 150);
	stop(fixture);
	assert_complete(collector, 1, 150);
	assert_int_equal(received(collector), 150);
	assert_int_equal(saved_cursor(fixture).number, 150);
	collector_stop(collector);
	collector_free(collector);
}

static void
a_cursor_of_another_epoch_gets_all_of_the_new_spool(void **state)
{
	struct fixture *fixture = *state;
	struct collector *collector = collector_start(false, 0, 0, 0);
	struct delivery_cursor foreign = {
	    .destination = fixture->configuration.name, .epoch = 1, .sequence = 50, .number = 50};
	struct delivery *delivery;
	struct error error;

	use_collector(fixture, collector);
	append_keys(fixture, 100);
	assert_true(delivery_open(&delivery, fixture->directory, &error));
	assert_true(delivery_save(delivery, &foreign, 1, NULL, 0, &error));
	delivery_close(delivery);
	start(fixture);
	await_confirmed(fixture, 100);
	stop(fixture);
	assert_complete(collector, 1, 100);
	assert_int_equal(saved_cursor(fixture).number, 150);
	collector_stop(collector);
	collector_free(collector);
}

static void
what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on(void **state)
{
	struct fixture *fixture = *state;

	fixture->configuration.file = &fixture->file;
	append_keys(fixture, 1);
	append(fixture, 2, "key.created", broken_body);
	append_keys(fixture, 300);
	append(fixture, 1, "key.created", broken_body);
	start(fixture);
	await_confirmed(fixture, 304);
	stop(fixture);
	assert_int_equal(ask_dead(fixture, "count(*)"), 3);
	assert_int_equal(ask_dead(fixture, "sum(seq)"), 2 + 3 + 304);
	assert_int_equal(ask_dead(fixture, "min(length(reason)) > 0"), 1);
	assert_int_equal(atomic_load(&fixture->counters.dead), 3);
	assert_int_equal(saved_cursor(fixture).number, 301);
}

static void
what_is_too_long_is_a_dead_letter_and_takes_no_number(void **state)
{
	struct fixture *fixture = *state;

	fixture->configuration.file = &fixture->file;
	fixture->configuration.format = &narrow_format;
	append_keys(fixture, 3);
	start(fixture);
	await_confirmed(fixture, 3);
	stop(fixture);
	assert_int_equal(ask_dead(fixture, "sum(seq)"), 2);
	assert_int_equal(saved_cursor(fixture).number, 2);
}

static void
a_row_that_was_changed_on_disk_is_a_dead_letter(void **state)
{
	struct fixture *fixture = *state;
	struct database *database;
	struct error error;
	char path[160];

	fixture->configuration.file = &fixture->file;
	append_keys(fixture, 5);
	snprintf(path, sizeof(path), "%s/spool.db", fixture->directory);
	assert_true(database_open(&database, path, DATABASE_READ_WRITE, &error));
	if (!database_execute(database,
			      "UPDATE events SET body='{\"type\":\"key.deleted\"}' WHERE seq=3",
			      &error))
		fail_msg("%s", error.text);
	database_close(database);
	start(fixture);
	await_confirmed(fixture, 5);
	stop(fixture);
	assert_int_equal(ask_dead(fixture, "count(*)"), 1);
	assert_int_equal(ask_dead(fixture, "sum(seq)"), 3);
}

/* The lines of the file; freed by the caller with free(). */
static char *
read_whole(const char *path)
{
	char *bytes = memory_allocate(1 << 20);
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(descriptor >= 0);
	assert_true(read(descriptor, bytes, (1 << 20) - 1) >= 0);
	close(descriptor);
	return bytes;
}

static void
only_wanted_events_leave_and_the_cursor_passes_the_others(void **state)
{
	struct fixture *fixture = *state;
	char *lines;

	fixture->configuration.file = &fixture->file;
	fixture->events[0] = keys_only;
	append(fixture, 2, "member.joined", "{\"type\":\"member.joined\"}");
	append_keys(fixture, 1);
	append(fixture, 700, "member.joined", "{\"type\":\"member.joined\"}");
	start(fixture);
	await_confirmed(fixture, 703);
	append_keys(fixture, 1);
	await_confirmed(fixture, 704);
	stop(fixture);
	lines = read_whole(fixture->path);
	assert_string_equal(lines, "<109>1 - - - - - - key.created 3\n"
				   "<109>1 - - - - - - key.created 704\n");
	free(lines);
	assert_int_equal(saved_cursor(fixture).number, 2);
}

static void
a_file_that_was_rotated_away_is_begun_anew(void **state)
{
	struct fixture *fixture = *state;
	char rotated[128];
	char *lines;

	fixture->configuration.file = &fixture->file;
	append_keys(fixture, 1);
	start(fixture);
	await_confirmed(fixture, 1);
	snprintf(rotated, sizeof(rotated), "%s.1", fixture->path);
	assert_int_equal(rename(fixture->path, rotated), 0);
	append_keys(fixture, 1);
	await_confirmed(fixture, 2);
	stop(fixture);
	lines = read_whole(rotated);
	assert_string_equal(lines, "<109>1 - - - - - - key.created 1\n");
	free(lines);
	lines = read_whole(fixture->path);
	assert_string_equal(lines, "<109>1 - - - - - - key.created 2\n");
	free(lines);
}

static void
a_line_that_was_cut_never_joins_the_next(void **state)
{
	struct fixture *fixture = *state;
	int descriptor = open(fixture->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char *lines;

	assert_int_equal(write(descriptor, "<109>1 - - ha", 13), 13);
	close(descriptor);
	fixture->configuration.file = &fixture->file;
	append_keys(fixture, 1);
	start(fixture);
	await_confirmed(fixture, 1);
	stop(fixture);
	lines = read_whole(fixture->path);
	assert_string_equal(lines, "<109>1 - - ha\n<109>1 - - - - - - key.created 1\n");
	free(lines);
}

static void
a_link_in_place_of_the_file_is_not_followed(void **state)
{
	struct fixture *fixture = *state;
	struct deadline deadline = deadline_after(PATIENCE);

	assert_int_equal(symlink("/dev/null", fixture->path), 0);
	fixture->configuration.file = &fixture->file;
	append_keys(fixture, 1);
	start(fixture);
	while (atomic_load(&fixture->counters.breaks) == 0) {
		assert_false(deadline_passed(deadline));
		tend(fixture);
	}
	assert_int_equal(atomic_load(&fixture->counters.confirmed), 0);
	stop(fixture);
}

static void
a_unix_socket_that_comes_later_gets_all(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct deadline deadline = deadline_after(PATIENCE);
	size_t count = 0;
	char datagram[256];
	int receiver;

	fixture->syslog.transport = CONFIG_TRANSPORT_UNIX;
	fixture->syslog.address = fixture->path;
	fixture->configuration.syslog = &fixture->syslog;
	append_keys(fixture, 1000); /* more than the socket's queue takes */
	start(fixture);
	while (atomic_load(&fixture->counters.breaks) == 0) {
		assert_false(deadline_passed(deadline));
		tend(fixture);
	}
	receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
	assert_int_equal(bind(receiver, (struct sockaddr *)&address, sizeof(address)), 0);
	while (count < 1000) {
		ssize_t length = recv(receiver, datagram, sizeof(datagram) - 1, 0);
		char expected[64];

		assert_false(deadline_passed(deadline));
		if (length < 0) {
			tend(fixture);
			continue;
		}
		datagram[length] = '\0';
		snprintf(expected, sizeof(expected), "<109>1 - - - - - - key.created %zu", ++count);
		assert_string_equal(datagram, expected);
	}
	await_confirmed(fixture, 1000);
	stop(fixture);
	close(receiver);
}

static void
one_udp_datagram_is_one_message(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[32];
	char datagram[256] = "";

	assert_int_equal(bind(receiver, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(receiver, (struct sockaddr *)&address, &length), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
	fixture->syslog.transport = CONFIG_TRANSPORT_UDP;
	fixture->syslog.address = text;
	fixture->configuration.syslog = &fixture->syslog;
	append_keys(fixture, 100);
	start(fixture);
	await_confirmed(fixture, 100);
	stop(fixture);
	for (int i = 1; i <= 100; i++) {
		char expected[64];
		ssize_t taken = recv(receiver, datagram, sizeof(datagram) - 1, MSG_DONTWAIT);

		assert_true(taken > 0);
		datagram[taken] = '\0';
		snprintf(expected, sizeof(expected), "<109>1 - - - - - - key.created %d", i);
		assert_string_equal(datagram, expected);
	}
	close(receiver);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(everything_arrives_once_and_in_order, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(nothing_is_confirmed_before_settle, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_collector_killed_three_times_costs_duplicates_and_no_loss, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_was_confirmed_is_not_sent_again, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		a_collector_that_never_reads_holds_neither_us_nor_the_end, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(it_resumes_from_the_saved_cursor_and_its_count, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_cursor_of_another_epoch_gets_all_of_the_new_spool,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_too_long_is_a_dead_letter_and_takes_no_number,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_row_that_was_changed_on_disk_is_a_dead_letter, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		only_wanted_events_leave_and_the_cursor_passes_the_others, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_file_that_was_rotated_away_is_begun_anew, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_line_that_was_cut_never_joins_the_next, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_link_in_place_of_the_file_is_not_followed, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_unix_socket_that_comes_later_gets_all, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(one_udp_datagram_is_one_message, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
