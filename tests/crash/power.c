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
#include "formats/memory.h"
#include "tests/crash/disk.h"
#include "tests/crash/oracle.h"
#include "tests/crash/platter.h"

enum {
	BATCH = 24,
	IMAGES = 32, /* of one life, at most */
	AGAIN = 3,   /* of one recovery */
	STEPS = 120,
	STEPS_OF_FAILURE = 24,
	STEPS_TO_SUSPICION = 9,
};

struct image {
	char directory[PATH_MAX];
	struct platter_memory *memory; /* NULL: its power was cut; else the process was killed */
	struct oracle oracle;
};

struct life {
	char root[64]; /* of all directories */
	char directory[PATH_MAX];
	uint64_t seed, random;
	struct spool *spool;
	struct delivery *delivery;
	struct oracle oracle;
	struct image *images;
	size_t count, most;
	bool kills;      /* one image in four is what a kill leaves */
	unsigned rarity; /* an image at one operation of so many */
};

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
	static char ids[BATCH][ORACLE_ID], bodies[BATCH][ORACLE_BODY];
	struct oracle *oracle = &life->oracle;
	size_t count = 1 + platter_random(&life->random, BATCH);

	if (oracle->tried + count >= ORACLE_MOST)
		return true;
	for (size_t i = 0; i < count; i++)
		oracle_make_event(&events[i], oracle->tried + 1 + i, ids[i], bodies[i]);
	oracle->tried += count;
	switch (spool_append(life->spool, events, count, NULL, 0, error)) {
	case SPOOL_DONE:
		for (size_t i = 0; i < count; i++)
			oracle->sequences[oracle->tried - count + 1 + i] = events[i].sequence;
		if (events[count - 1].sequence <= oracle->highest)
			oracle_die("append", "a sequence was given twice", life->directory);
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
	    oracle->cursor + platter_random(&life->random, oracle->highest - oracle->cursor + 1);
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
	uint64_t what = platter_random(&life->random, 100);

	if (what < 60)
		return append(life, error);
	if (what < 80)
		return save(life, error);
	if (what < 90)
		return prune(life, error);
	return spool_checkpoint(life->spool, what < 95, error);
}

/* ---- judging ---- */

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
			oracle_die("open", error.text, directory);
		if (alarm.text[0] != '\0')
			oracle_die("open", alarm.text, directory);
		if (spool_last(next.spool) < oracle->highest)
			oracle_die("open", "its last sequence is below one that was promised",
				   directory);
		oracle_must_hold_all(directory, &next.oracle);
		oracle_must_be_whole(directory);
		if (!delivery_load(next.delivery, &cursor, &error))
			oracle_die("cursor", error.text, directory);
		if (cursor.sequence < oracle->cursor || cursor.sequence > oracle->cursor_tried)
			oracle_die("cursor", "is not where it was saved", directory);
		if (!append(&next, &error))
			oracle_die("append", error.text, directory);
		close_both(&next);
	}
	oracle_must_hold_all(directory, &next.oracle);
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
		image->memory = platter_freeze(image->directory);
	else
		platter_cut(image->directory, &life->random);
	image->oracle = life->oracle;
	life->count++;
}

static void
on_operation(void *context, bool is_sync)
{
	struct life *life = context;
	unsigned rarity = is_sync ? life->rarity / 8 + 1 : life->rarity;

	if (life->count < life->most && platter_random(&life->random, rarity) == 0)
		take_image(life);
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
		platter_thaw(image->memory, next.directory);
	else
		platter_watch(next.directory);
	disk_tell(on_operation, &next);
	if (!open_both(next.directory, &next.spool, &next.delivery, &alarm, &error))
		oracle_die("open", error.text, next.directory);
	oracle_owe_what_is_shown(next.directory, &next.oracle);
	take_image(&next);
	if (!append(&next, &error))
		oracle_die("append", error.text, next.directory);
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
	platter_watch(life->directory);
	disk_tell(on_operation, life);
	for (int i = 0; i < STEPS; i++) {
		if (life->spool != NULL && platter_random(&life->random, 30) == 0) {
			close_both(life);
			if (platter_random(&life->random, 3) == 0)
				be_suspect(life);
		}
		if (life->spool == NULL &&
		    !open_both(life->directory, &life->spool, &life->delivery, &alarm, &error))
			oracle_die("open", error.text, life->directory);
		if (!step(life, &error))
			oracle_die("step", error.text, life->directory);
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
			platter_watch(NULL);
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
	life->random = life->seed;
	platter_watch(life->directory);
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

/* The bridge runs on, numbers nothing twice, and has brought over what was put aside. */
static void
judge_afresh(struct life *life)
{
	struct error alarm, error;

	for (int turn = 0; turn < 2; turn++) {
		if (!open_both(life->directory, &life->spool, &life->delivery, &alarm, &error))
			oracle_die("open", error.text, life->directory);
		oracle_must_hold_what_is_owed(life->directory, &life->oracle);
		if (!append(life, &error))
			oracle_die("append", error.text, life->directory);
		close_both(life);
	}
	oracle_must_hold_what_is_owed(life->directory, &life->oracle);
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
	oracle_start(number);
	life.seed = number;
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
