/*
 * Power cuts and failing disks, a thousand times: power cut|fail SEED COUNT
 *
 *   cut   a spool and its cursors at work; at random moments an image of what a power
 *         cut could leave.  COUNT images.  One in four is cut again while it recovers, and
 *         one in four is what a kill leaves, whose power is cut while it recovers.  Now and
 *         then the file is taken for damaged, put aside, and its events brought over.
 *   fail  the n-th write, sync or read fails, for every n, once or from then on, of all
 *         files or of some.  Then
 *         what survives is opened again, and so is an image of a power cut after it.
 *         COUNT 0: every n; else about so many of them, spread over all.
 *
 * Each opened image must hold every event that spool_append() gave as SPOOL_DONE, in its
 * place and unchanged, a whole chain, cursors that neither fell behind what
 * delivery_save() promised nor lead, and number the next event above all of them.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/spool/delivery.h"
#include "bridge/spool/spool.h"
#include "bridge/spool/spool_verify.h"
#include "formats/memory.h"
#include "tests/crash/disk.h"

enum {
	MOST = 4096, /* events of one life */
	BATCH = 24,
	IMAGES = 32, /* of one life, at most */
	AGAIN = 3,   /* of one recovery */
	STEPS = 120,
	STEPS_OF_FAILURE = 24,
	STEPS_TO_SUSPICION = 9,
	LONGEST_BODY = 3000,
};

/* What is owed: the numbers of events are ours, their sequences the spool's. */
struct oracle {
	uint64_t sequences[MOST]; /* of event n; 0: nothing is owed of it */
	uint64_t tried;           /* events 1..tried were given to the spool */
	uint64_t highest;         /* sequence that was ever promised */
	uint64_t pruned;          /* up to here they may be gone */
	uint64_t cursor;          /* was promised */
	uint64_t cursor_tried;
};

struct image {
	char directory[PATH_MAX];
	struct disk_memory *memory; /* NULL: its power was cut; else the process was killed */
	struct oracle oracle;
};

struct life {
	char root[64]; /* of all directories */
	char directory[PATH_MAX];
	uint64_t random;
	struct spool *spool;
	struct delivery *delivery;
	struct oracle oracle;
	struct image *images;
	size_t count, most;
	bool kills;      /* one image in four is what a kill leaves */
	unsigned rarity; /* an image at one operation of so many */
};

static unsigned long long seed;

static void
die(const char *what, const char *text, const char *directory)
{
	printf("not ok 1 - %s: %s\n# seed %llu, directory %s\n", what, text, seed, directory);
	exit(1);
}

/* ---- directories ---- */

static void
empty(const char *directory)
{
	char path[PATH_MAX + 256];
	const struct dirent *entry;
	DIR *stream = opendir(directory);

	if (stream == NULL)
		return;
	while ((entry = readdir(stream)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(path) != 0)
			memory_panic("%s: %m", path);
	}
	(void)closedir(stream);
}

static void
fresh(const char *directory)
{
	empty(directory);
	(void)mkdir(directory, 0700);
}

static void
away(const char *directory)
{
	empty(directory);
	(void)rmdir(directory);
}

/* ---- events: all of one is a function of its number ---- */

static void
make_event(struct spool_event *event, uint64_t number, char *id, char *body)
{
	size_t length = 20 + number * 7919 % (LONGEST_BODY - 20);

	memset(event, 0, sizeof(*event));
	(void)snprintf(id, 24, "id-%08llu", (unsigned long long)number);
	for (size_t i = 0; i < length; i++)
		body[i] = (char)('a' + (number + i * i) % 26);
	event->received_at = 1790856000000 + (int64_t)number;
	event->source = SLICE_LITERAL("anyint");
	event->id = text_of(id);
	event->type = SLICE_LITERAL("key.created");
	event->body = (struct slice){body, length};
	memcpy(event->fingerprints[0], id, 11);
	event->fingerprint_count = 1;
}

/* The number of an event that is what its number says; 0: it is not. */
static uint64_t
number_of(const struct spool_event *event)
{
	char id[24], body[LONGEST_BODY];
	struct spool_event wanted;
	uint64_t number = 0;

	if (event->id.length != 11 ||
	    !text_parse_unsigned((struct slice){event->id.bytes + 3, 8}, MOST, &number))
		return 0;
	make_event(&wanted, number, id, body);
	return text_slices_equal(wanted.id, event->id) &&
		       text_slices_equal(wanted.body, event->body)
		   ? number
		   : 0;
}

/* ---- what the bridge does, in small ---- */

static bool
open_both(const char *directory, struct spool **spool, struct delivery **delivery,
	  struct error *alarm, struct error *error)
{
	uint64_t floor = 0;

	*spool = NULL;
	*delivery = NULL;
	/* what the head file knows is enough for the numbers, as in receiver.c */
	if (!delivery_highest(directory, &floor, error))
		floor = 0;
	if (spool_open(spool, directory, 0, floor, alarm, error) &&
	    delivery_open(delivery, directory, error))
		return true;
	spool_close(*spool);
	*spool = NULL;
	return false;
}

static void
close_both(struct life *life)
{
	delivery_close(life->delivery);
	spool_close(life->spool);
	life->delivery = NULL;
	life->spool = NULL;
}

/* The next open puts the file aside; what is delivered stays there. */
static void
be_suspect(struct life *life)
{
	char path[PATH_MAX + 16];
	FILE *stream;

	(void)snprintf(path, sizeof(path), "%s/suspect", life->directory);
	stream = fopen(path, "wb");
	if (stream == NULL || fclose(stream) != 0)
		memory_panic("%s: %m", path);
	if (life->oracle.cursor > life->oracle.pruned)
		life->oracle.pruned = life->oracle.cursor;
}

static bool
append(struct life *life, struct error *error)
{
	static struct spool_event events[BATCH];
	static char ids[BATCH][24], bodies[BATCH][LONGEST_BODY];
	struct oracle *oracle = &life->oracle;
	size_t count = 1 + disk_random(&life->random, BATCH);

	if (oracle->tried + count >= MOST)
		return true;
	for (size_t i = 0; i < count; i++)
		make_event(&events[i], oracle->tried + 1 + i, ids[i], bodies[i]);
	oracle->tried += count;
	switch (spool_append(life->spool, events, count, NULL, 0, error)) {
	case SPOOL_DONE:
		for (size_t i = 0; i < count; i++)
			oracle->sequences[oracle->tried - count + 1 + i] = events[i].sequence;
		if (events[count - 1].sequence <= oracle->highest)
			die("append", "a sequence was given twice", life->directory);
		oracle->highest = events[count - 1].sequence;
		return true;
	case SPOOL_FULL:
		return true;
	case SPOOL_BROKEN:
		break;
	}
	return false;
}

static bool
save(struct life *life, struct error *error)
{
	struct delivery_cursor cursor = {.destination = "siem", .epoch = 1};
	struct oracle *oracle = &life->oracle;

	cursor.sequence =
	    oracle->cursor + disk_random(&life->random, oracle->highest - oracle->cursor + 1);
	if (cursor.sequence > oracle->cursor_tried)
		oracle->cursor_tried = cursor.sequence;
	if (!delivery_save(life->delivery, &cursor, 1, NULL, 0, error))
		return false;
	oracle->cursor = cursor.sequence;
	return true;
}

static void
ignore(void *context, const unsigned char *prints, size_t count)
{
	(void)context;
	(void)prints;
	(void)count;
}

static bool
prune(struct life *life, struct error *error)
{
	bool more = true;

	if (life->oracle.cursor > life->oracle.pruned)
		life->oracle.pruned = life->oracle.cursor;
	return spool_prune(life->spool, life->oracle.cursor, 40, ignore, NULL, &more, error) !=
	       SPOOL_BROKEN;
}

/* One of the things that are done all day; false: the spool or the cursors are broken. */
static bool
step(struct life *life, struct error *error)
{
	uint64_t what = disk_random(&life->random, 100);

	if (what < 60)
		return append(life, error);
	if (what < 80)
		return save(life, error);
	if (what < 90)
		return prune(life, error);
	return spool_checkpoint(life->spool, what < 95, error);
}

/* ---- the oracle ---- */

static void
on_finding(void *context, const struct spool_verify_finding *finding)
{
	(void)context;
	(void)finding;
}

static void
must_be_whole(const char *directory)
{
	const struct spool_verify_note note = {0};
	const struct spool_verify_calls calls = {.found = on_finding};
	struct spool_verify_report report;
	struct error error;

	if (!spool_verify(directory, &note, &calls, &report, &error))
		die("verify", error.text, directory);
	if (!spool_verify_is_whole(&report))
		die("verify", "the ledger is not whole", directory);
}

/* Every row is one that was given, in its place; fills the sequences of those that are there. */
static void
must_be_true(const char *directory, const struct oracle *oracle, uint64_t *seen)
{
	struct spool_reader *reader;
	struct spool_event *events;
	struct arena *arena = arena_new();
	struct error error;
	uint64_t after = 0, before = 0;
	size_t count;

	if (!spool_reader_open(&reader, directory, &error))
		die("read", error.text, directory);
	do {
		arena_clear(arena);
		if (!spool_reader_next(reader, after, 50, 1000000, arena, &events, &count, &error))
			die("read", error.text, directory);
		for (size_t i = 0; i < count; i++) {
			uint64_t number = number_of(&events[i]);

			if (number == 0 || number > oracle->tried || number <= before ||
			    !events[i].intact)
				die("read", "an event is not what was stored", directory);
			if (oracle->sequences[number] != 0 &&
			    oracle->sequences[number] != events[i].sequence)
				die("read", "an event has another sequence", directory);
			seen[number] = events[i].sequence;
			before = number;
			after = events[i].sequence;
		}
	} while (count > 0);
	spool_reader_close(reader);
	arena_free(arena);
}

static void
must_hold_all(const char *directory, const struct oracle *oracle)
{
	uint64_t seen[MOST] = {0};
	char text[64];

	must_be_true(directory, oracle, seen);
	for (uint64_t number = 1; number <= oracle->tried; number++) {
		uint64_t sequence = oracle->sequences[number];

		(void)snprintf(text, sizeof(text), "event %llu of %llu is lost",
			       (unsigned long long)number, (unsigned long long)oracle->tried);
		if (sequence > oracle->pruned && seen[number] == 0)
			die("read", text, directory);
	}
}

/* Opens what a cut left, twice, and goes on with it. */
static void
judge(const char *directory, const struct oracle *oracle)
{
	struct life next = {.oracle = *oracle, .random = oracle->tried};
	struct delivery_cursor cursor = {.destination = "siem"};
	struct error alarm, error;

	(void)snprintf(next.directory, sizeof(next.directory), "%s", directory);
	for (int turn = 0; turn < 2; turn++) {
		if (!open_both(directory, &next.spool, &next.delivery, &alarm, &error))
			die("open", error.text, directory);
		if (alarm.text[0] != '\0')
			die("open", alarm.text, directory);
		if (spool_last(next.spool) < oracle->highest)
			die("open", "its last sequence is below one that was promised", directory);
		must_hold_all(directory, &next.oracle);
		must_be_whole(directory);
		if (!delivery_load(next.delivery, &cursor, &error))
			die("cursor", error.text, directory);
		if (cursor.sequence < oracle->cursor || cursor.sequence > oracle->cursor_tried)
			die("cursor", "is not where it was saved", directory);
		if (!append(&next, &error))
			die("append", error.text, directory);
		close_both(&next);
	}
	must_hold_all(directory, &next.oracle);
}

/* ---- power cuts ---- */

static void
take_image(struct life *life)
{
	struct image *image = &life->images[life->count];

	(void)snprintf(image->directory, sizeof(image->directory), "%s/image-%zu", life->root,
		       life->count);
	fresh(image->directory);
	image->memory = NULL;
	if (life->kills && life->count % 4 == 1)
		image->memory = disk_freeze(image->directory);
	else
		disk_cut(image->directory, &life->random);
	image->oracle = life->oracle;
	life->count++;
}

static void
on_operation(void *context, bool is_sync)
{
	struct life *life = context;
	unsigned rarity = is_sync ? life->rarity / 8 + 1 : life->rarity;

	if (life->count < life->most && disk_random(&life->random, rarity) == 0)
		take_image(life);
}

/* Once it is open, a sender who asks again for what it shows is answered 202: it is owed. */
static void
owe_what_is_shown(const char *directory, struct oracle *oracle)
{
	uint64_t seen[MOST] = {0};

	must_be_true(directory, oracle, seen);
	for (uint64_t number = 1; number <= oracle->tried; number++) {
		if (seen[number] == 0)
			continue;
		oracle->sequences[number] = seen[number];
		oracle->highest = seen[number];
	}
}

/* An image is opened, and loses its power again while it recovers and goes on; how often. */
static size_t
cut_again(struct life *life, struct image *image)
{
	struct life next = {
	    .random = life->random + 1, .images = life->images + life->count, .rarity = 4};
	struct error alarm, error;

	(void)snprintf(next.root, sizeof(next.root), "%s/again", life->root);
	(void)mkdir(next.root, 0700);
	(void)snprintf(next.directory, sizeof(next.directory), "%s", image->directory);
	next.oracle = image->oracle;
	if (image->memory != NULL)
		disk_thaw(image->memory, next.directory);
	else
		disk_watch(next.directory);
	disk_tell(on_operation, &next);
	if (!open_both(next.directory, &next.spool, &next.delivery, &alarm, &error))
		die("open", error.text, next.directory);
	owe_what_is_shown(next.directory, &next.oracle);
	take_image(&next);
	if (!append(&next, &error))
		die("append", error.text, next.directory);
	disk_tell(NULL, NULL);
	close_both(&next);
	for (size_t i = 0; i < next.count; i++) {
		judge(next.images[i].directory, &next.images[i].oracle);
		away(next.images[i].directory);
	}
	image->oracle = next.oracle;
	life->random = next.random;
	(void)rmdir(next.root);
	return next.count;
}

/* From an empty directory on; some of it while a second life begins where one ended. */
static void
live(struct life *life)
{
	struct error alarm, error;

	fresh(life->directory);
	memset(&life->oracle, 0, sizeof(life->oracle));
	life->count = 0;
	disk_watch(life->directory);
	disk_tell(on_operation, life);
	for (int i = 0; i < STEPS; i++) {
		if (life->spool != NULL && disk_random(&life->random, 30) == 0) {
			close_both(life);
			if (disk_random(&life->random, 3) == 0)
				be_suspect(life);
		}
		if (life->spool == NULL &&
		    !open_both(life->directory, &life->spool, &life->delivery, &alarm, &error))
			die("open", error.text, life->directory);
		if (!step(life, &error))
			die("step", error.text, life->directory);
	}
	close_both(life);
	disk_tell(NULL, NULL);
}

static size_t
cut(struct life *life, size_t wanted)
{
	size_t images = 0;

	life->rarity = 200;
	life->most = IMAGES;
	life->kills = true;
	while (images < wanted) {
		live(life);
		for (size_t i = 0; i < life->count; i++) {
			if (i % 4 < 2)
				images += cut_again(life, &life->images[i]);
			disk_watch(NULL);
			judge(life->images[i].directory, &life->images[i].oracle);
			away(life->images[i].directory);
		}
		images += life->count;
	}
	return images;
}

/* ---- failing disks ---- */

/* The same steps each time.  True: the failure was reached. */
static bool
live_with_failure(struct life *life, enum disk_fault fault, uint64_t nth, enum disk_span span)
{
	struct error alarm, error;
	bool failed;

	fresh(life->directory);
	memset(&life->oracle, 0, sizeof(life->oracle));
	life->random = seed;
	disk_watch(life->directory);
	disk_fail(fault, nth, span);
	for (int i = 0; i < STEPS_OF_FAILURE; i++) {
		if (fault == DISK_READ_ASIDE_EIO && i % STEPS_TO_SUSPICION == 0 && i > 0) {
			close_both(life);
			be_suspect(life);
		}
		/* as the supervisor does: what is broken is started anew */
		if (life->spool == NULL &&
		    !open_both(life->directory, &life->spool, &life->delivery, &alarm, &error))
			continue;
		if (!step(life, &error))
			close_both(life);
	}
	close_both(life);
	failed = disk_heal();
	return failed;
}

/* A disk that goes on failing: what could not be opened was put aside whole, and told. */
static bool
was_put_aside(const char *directory)
{
	const struct dirent *entry;
	DIR *stream = opendir(directory);
	bool found = false;

	while (stream != NULL && (entry = readdir(stream)) != NULL)
		found = found || strstr(entry->d_name, ".damaged-") != NULL;
	if (stream != NULL)
		(void)closedir(stream);
	return found;
}

/*
 * What is owed and not delivered is there, unchanged, though perhaps under a later
 * sequence than it had.
 */
static void
must_hold_what_is_owed(const char *directory, const struct oracle *oracle)
{
	struct spool_reader *reader;
	struct spool_event *events;
	struct arena *arena = arena_new();
	struct error error;
	bool seen[MOST] = {false};
	uint64_t after = 0, number;
	char text[64];
	size_t count;

	if (!spool_reader_open(&reader, directory, &error))
		die("read", error.text, directory);
	do {
		arena_clear(arena);
		if (!spool_reader_next(reader, after, 50, 1000000, arena, &events, &count, &error))
			die("read", error.text, directory);
		for (size_t i = 0; i < count; i++) {
			number = number_of(&events[i]);
			if (number == 0 || number > oracle->tried)
				die("read", "an event is not what was stored", directory);
			if (events[i].sequence < oracle->sequences[number])
				die("read", "an event has an earlier sequence", directory);
			/* one that does not fit the chain becomes a dead letter */
			seen[number] = seen[number] || events[i].intact;
			after = events[i].sequence;
		}
	} while (count > 0);
	spool_reader_close(reader);
	arena_free(arena);
	for (number = 1; number <= oracle->tried; number++) {
		(void)snprintf(text, sizeof(text), "event %llu of %llu is lost",
			       (unsigned long long)number, (unsigned long long)oracle->tried);
		if (oracle->sequences[number] > oracle->pruned &&
		    oracle->sequences[number] > oracle->cursor_tried && !seen[number])
			die("read", text, directory);
	}
}

/* The bridge runs on, numbers nothing twice, and has brought over what was put aside. */
static void
judge_afresh(struct life *life)
{
	struct error alarm, error;

	for (int turn = 0; turn < 2; turn++) {
		if (!open_both(life->directory, &life->spool, &life->delivery, &alarm, &error))
			die("open", error.text, life->directory);
		must_hold_what_is_owed(life->directory, &life->oracle);
		if (!append(life, &error))
			die("append", error.text, life->directory);
		close_both(life);
	}
	must_hold_what_is_owed(life->directory, &life->oracle);
}

/* True: the file was put aside. */
static bool
judge_after_failure(struct life *life)
{
	struct image *image = life->images;

	if (was_put_aside(life->directory)) {
		judge_afresh(life);
		return true;
	}
	life->count = 0;
	take_image(life);
	judge(image->directory, &image->oracle);
	away(image->directory);
	judge(life->directory, &life->oracle);
	return false;
}

static size_t
fail(struct life *life, size_t wanted)
{
	static const char *const names[DISK_FAULTS] = {
	    [DISK_WRITE_EIO] = "write: EIO",     [DISK_WRITE_ENOSPC] = "write: ENOSPC",
	    [DISK_WRITE_SHORT] = "write: short", [DISK_SYNC_EIO] = "sync: EIO",
	    [DISK_READ_EIO] = "read: EIO",       [DISK_READ_ASIDE_EIO] = "read aside: EIO",
	};
	static const char *const spans[DISK_SPANS] = {
	    [DISK_ONCE] = "once",
	    [DISK_FROM_THEN_ON] = "from then on",
	    [DISK_FROM_THEN_ON_IN_SPOOL] = "from then on in spool.db alone",
	};
	size_t count = 0;

	for (int fault = 0; fault < DISK_FAULTS; fault++) {
		for (int span = 0; span < DISK_SPANS; span++) {
			uint64_t nth = 1, aside = 0, stride = wanted == 0 ? 1 : 1 + 2000 / wanted;

			while (live_with_failure(life, (enum disk_fault)fault, nth,
						 (enum disk_span)span)) {
				aside += judge_after_failure(life);
				nth += stride;
				count++;
			}
			printf("# %s, %s: up to call %llu; put aside %llu times\n", names[fault],
			       spans[span], (unsigned long long)nth, (unsigned long long)aside);
		}
	}
	return count;
}

int
main(int argc, char **argv)
{
	static const char base[] = "/dev/shm/siembridge-power.XXXXXX";
	struct life life = {.images = memory_allocate_array(IMAGES * 2, sizeof(*life.images))};
	uint64_t number = 0, wanted = 0;
	bool cuts;
	size_t done;

	if (argc != 4 || !text_parse_unsigned(text_of(argv[2]), UINT64_MAX, &number) ||
	    !text_parse_unsigned(text_of(argv[3]), 1000000, &wanted)) {
		(void)fprintf(stderr, "power cut|fail SEED COUNT\n");
		return 2;
	}
	cuts = strcmp(argv[1], "cut") == 0;
	seed = number;
	life.random = number;
	memcpy(life.root, base, sizeof(base));
	if (mkdtemp(life.root) == NULL)
		memory_panic("%s: %m", life.root);
	(void)snprintf(life.directory, sizeof(life.directory), "%s/spool", life.root);
	disk_start();
	done = cuts ? cut(&life, wanted) : fail(&life, wanted);
	away(life.directory);
	(void)rmdir(life.root);
	free(life.images);
	printf("ok 1 - %zu\n", done);
	return 0;
}
