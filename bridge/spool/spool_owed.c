/*
 * The steps, each durable before the next:
 *
 *   1. the note
 *   2. spool.db gets its name.  Before its WAL: a name without a WAL is finished by the
 *      next start, a WAL without its file might belong to any
 *   3. the WAL follows, the -shm goes
 *   4. a fresh spool.db is begun, in which nobody reads as long as it is being filled
 *      (spool.c): cursors would be held against its first identity, or its first rows
 *   5. what is owed goes into it, in the order of the sequences
 *   6. the note goes
 *
 * Why the note says what is owed: at a later start the cursors say nothing of it any
 * more, for new events have been numbered and delivered since.  For the same reason an
 * event that comes that late gets a sequence of its own time: under its old one it would
 * lie behind the cursors, and count as delivered.
 */
#include "bridge/spool/spool_owed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/fault.h"
#include "bridge/log.h"
#include "bridge/read_file.h"
#include "bridge/spool/delivery.h"
#include "bridge/spool/spool_aside.h"
#include "bridge/spool/spool_internal.h"
#include "bridge/spool/spool_parts.h"
#include "bridge/spool/spool_salvage.h"
#include "bridge/spool/spool_verify.h"
#include "formats/memory.h"

enum {
	BATCH = 256,                  /* late events in a transaction */
	BATCH_BYTES = 4 * 1024 * 1024 /* of their bodies */
};

static const char heading[] = "siembridge 1\n";
static const char beginning[] = "spool.db.damaged-", ending[] = ".owed";

struct owed {
	const char *directory;
	char name[NAME_MAX + 1]; /* of the note */
	char path[PATH_MAX];     /* of the file that was put aside */
	struct spool_parts parts;
};

/* ---- notes ---- */

/* The note replaces the one before it at once, or not at all. */
static bool
write_note(const struct owed *owed, struct error *error)
{
	char bytes[sizeof(heading) + SPOOL_PARTS_TEXT], fresh[PATH_MAX], path[PATH_MAX];
	struct text text;
	bool done = false;
	int file;

	text_start(&text, bytes, sizeof(bytes));
	text_append_string(&text, heading);
	spool_parts_write(&owed->parts, &text);
	if (!spool_internal_path(fresh, owed->directory, "spool.db.owed.new", error) ||
	    !spool_internal_path(path, owed->directory, owed->name, error))
		return false;
	(void)unlink(fresh); /* of a start that was killed */
	file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return error_set_errno(error, "spool: %s", fresh);
	if (pwrite(file, text.bytes, text.length, 0) != (ssize_t)text.length ||
	    fdatasync(file) != 0 || rename(fresh, path) != 0)
		error_set_errno(error, "spool: writing %s", path);
	else
		done = spool_aside_sync(owed->directory, error);
	close(file);
	return done;
}

/* A note that makes no sense stands for all of its file. */
static void
read_note(struct owed *owed)
{
	char bytes[sizeof(heading) + SPOOL_PARTS_TEXT], path[PATH_MAX];
	struct slice text = {bytes, 0};
	struct error why = {.text = "it makes no sense"};
	struct stat status;

	if (spool_internal_path(path, owed->directory, owed->name, &why) &&
	    read_file(path, bytes, sizeof(bytes), &text.length, &status, &why) &&
	    text.length >= strlen(heading) && memcmp(bytes, heading, strlen(heading)) == 0) {
		text.bytes += strlen(heading);
		text.length -= strlen(heading);
		if (spool_parts_read(&owed->parts, text))
			return;
	}
	log_warning("spool", "%s: %s; all of %s is taken as owed", owed->name, why.text,
		    owed->path);
	owed->parts.count = 0;
	spool_parts_add(&owed->parts, 1, INT64_MAX);
}

static bool
remove_note(const struct owed *owed, struct error *error)
{
	char path[PATH_MAX];

	if (!spool_internal_path(path, owed->directory, owed->name, error))
		return false;
	if (unlink(path) != 0 && errno != ENOENT)
		return error_set_errno(error, "spool: %s", path);
	return spool_aside_sync(owed->directory, error);
}

/*
 * What is owed from now on.  A note that cannot be changed keeps nobody down: the next
 * start does once more what this one has done.
 */
static void
change_note(struct owed *owed, const struct spool_parts *left, bool disk_failed)
{
	bool is_over = left->count == 0 && !disk_failed;
	struct error error;

	owed->parts = *left;
	if (!(is_over ? remove_note(owed, &error) : write_note(owed, &error)))
		log_error("spool", "%s; the next start looks at %s once more", error.text,
			  owed->path);
}

static void
drop_note(struct owed *owed)
{
	const struct spool_parts none = {.count = 0};

	change_note(owed, &none, false);
}

static bool
is_note(const char *name)
{
	size_t length = strlen(name);

	return length > strlen(beginning) + strlen(ending) &&
	       strncmp(name, beginning, strlen(beginning)) == 0 &&
	       strcmp(name + length - strlen(ending), ending) == 0;
}

/* The name that comes after owed->name; names rise with time. */
static bool
find_next(struct owed *owed)
{
	char next[NAME_MAX + 1] = "";
	DIR *entries = opendir(owed->directory);
	const struct dirent *entry;

	if (entries == NULL)
		return false;
	/* one thread reads this stream */
	while ((entry = readdir(entries)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
		if (!is_note(entry->d_name) || strcmp(entry->d_name, owed->name) <= 0)
			continue;
		if (next[0] == '\0' || strcmp(entry->d_name, next) < 0)
			memcpy(next, entry->d_name, strlen(entry->d_name) + 1);
	}
	(void)closedir(entries);
	memcpy(owed->name, next, sizeof(next));
	return next[0] != '\0';
}

/* Calls `each` for every file of which something is owed, the oldest first. */
static bool
for_each(const char *directory, void *context,
	 bool (*each)(void *context, struct owed *owed, struct error *error), struct error *error)
{
	struct owed owed = {.directory = directory, .name = ""};

	while (find_next(&owed)) {
		if (!spool_internal_path(owed.path, directory, owed.name, error))
			return false;
		owed.path[strlen(owed.path) - strlen(ending)] = '\0';
		if (!each(context, &owed, error))
			return false;
	}
	return true;
}

/* ---- putting aside ---- */

bool
spool_owed_put(const char *directory, char *aside, struct error *error)
{
	struct owed owed = {.directory = directory};
	uint64_t least = delivery_least(directory);
	struct text text;

	if (!spool_aside_name(directory, "spool.db", aside, error))
		return false;
	text_start(&text, owed.name, sizeof(owed.name));
	text_append_string(&text, strrchr(aside, '/') + 1);
	text_append_string(&text, ending);
	text_append_byte(&text, '\0');
	/* with the last one that is delivered everywhere: what follows hangs on its hash */
	spool_parts_add(&owed.parts, least > 0 ? least : 1, INT64_MAX);
	if (!write_note(&owed, error))
		return false;
	fault_point("aside-noted");
	if (!spool_aside_move(directory, "spool.db", aside, error))
		return false;
	fault_point("aside-half");
	if (!spool_aside_move_wal(directory, "spool.db", aside, error))
		return false;
	fault_point("aside-put");
	return true;
}

static bool
exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static bool
finish(void *context, struct owed *owed, struct error *error)
{
	char path[PATH_MAX], wal[PATH_MAX + 8];
	struct text text;

	(void)context;
	text_start(&text, wal, sizeof(wal));
	text_append_string(&text, owed->path);
	text_append_string(&text, "-wal");
	text_append_byte(&text, '\0');
	if (!spool_internal_path(path, owed->directory, "spool.db", error))
		return false;
	/* a spool.db that is there has a WAL of its own */
	if (exists(path) || !exists(owed->path) || exists(wal))
		return true;
	return spool_aside_move_wal(owed->directory, "spool.db", owed->path, error);
}

bool
spool_owed_finish(const char *directory, struct error *error)
{
	return for_each(directory, NULL, finish, error);
}

bool
spool_owed_is_some(const char *directory)
{
	struct owed owed = {.directory = directory, .name = ""};

	return find_next(&owed);
}

/* ---- bringing over ---- */

/* NULL, or why nothing can be brought over of it, now or later. */
static const char *
find_obstacle(const char *path)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return errno == ENOENT || errno == ENOTDIR ? "it is not there" : NULL;
	if (!S_ISREG(status.st_mode))
		return "it is no regular file";
	/* opening it would have SQLite delete its WAL, which somebody may want to look at */
	return status.st_size == 0 ? "it is empty" : NULL;
}

static void
tell(const struct owed *owed, const struct spool_salvage_counts *counts,
     enum spool_salvage_result result, const struct error *why)
{
	uint64_t after = owed->parts.count > 0 ? owed->parts.parts[0].first - 1 : 0;

	log_error("spool",
		  "of %s %llu events behind %llu were brought over (%llu to %llu), %llu cannot be "
		  "read, %llu were changed on disk%s%s; %s",
		  owed->path, (unsigned long long)counts->events, (unsigned long long)after,
		  (unsigned long long)counts->first, (unsigned long long)counts->last,
		  (unsigned long long)counts->unreadable, (unsigned long long)counts->changed,
		  result == SPOOL_SALVAGE_DONE ? "" : "; it ended with: ",
		  result == SPOOL_SALVAGE_DONE ? "" : why->text,
		  counts->disk_failed ? "the disk failed, and the next start tries again"
				      : "siembridge spool salvage brings over what is older");
}

static bool
bring(void *context, struct owed *owed, struct error *error)
{
	struct spool_salvage_counts counts;
	struct spool_parts left;
	struct error why = {.text = "it is damaged to its end"};
	const char *obstacle = find_obstacle(owed->path);
	enum spool_salvage_result result;

	if (obstacle != NULL) {
		log_error("spool", "nothing is brought over of %s, which was put aside: %s",
			  owed->path, obstacle);
		drop_note(owed);
		return true;
	}
	read_note(owed);
	result = spool_salvage(context, owed->path, &owed->parts, &counts, &left, &why);
	if (result == SPOOL_SALVAGE_BROKEN) {
		*error = why;
		return error_prefix(error, "what is owed of %s cannot be stored", owed->path);
	}
	tell(owed, &counts, result, &why);
	fault_point("aside-brought");
	change_note(owed, &left, counts.disk_failed);
	return true;
}

bool
spool_owed_bring(struct spool *spool, struct error *error)
{
	return for_each(spool->directory, spool, bring, error);
}

/* ---- what comes too late for its sequence ---- */

struct late {
	struct spool *spool;
	const struct owed *owed;
	struct database_statement *find;
	struct arena *arena;
	struct spool_event events[BATCH];
	size_t count, bytes;
	uint64_t first; /* of them, as it was numbered there */
	uint64_t reached;
	uint64_t stored;
	struct spool_parts left;
	struct spool_verify_report report;
	enum spool_result result; /* SPOOL_DONE, until it is not */
	struct error *error;
};

static void
flush(struct late *late)
{
	if (late->count == 0)
		return;
	if (late->result == SPOOL_DONE)
		late->result =
		    spool_append(late->spool, late->events, late->count, NULL, 0, late->error);
	if (late->result == SPOOL_DONE)
		late->stored += late->count;
	else
		spool_parts_add_within(&late->left, late->first, INT64_MAX, &late->owed->parts);
	late->count = late->bytes = 0;
	arena_clear(late->arena);
}

static bool
is_there(struct late *late, uint64_t sequence, const unsigned char *hash)
{
	struct slice stored = {NULL, 0};
	struct error ignored;
	bool found;

	database_bind_number(late->find, 1, (int64_t)sequence);
	if (database_step(late->find, &ignored) == DATABASE_ROW)
		stored = database_bytes(late->find, 0);
	found = stored.length == SPOOL_HASH_LENGTH &&
		memcmp(stored.bytes, hash, SPOOL_HASH_LENGTH) == 0;
	database_reset(late->find);
	return found;
}

static struct slice
copy(struct late *late, struct slice bytes)
{
	if (bytes.bytes != NULL)
		bytes.bytes = arena_copy_text(late->arena, bytes.bytes, bytes.length);
	return bytes;
}

static void
take_event(void *context, const struct spool_event *event, const unsigned char *hash,
	   const unsigned char *before)
{
	struct late *late = context;
	struct spool_event *kept = &late->events[late->count];

	(void)before;
	late->reached = event->sequence;
	if (!event->intact || !spool_parts_hold(&late->owed->parts, event->sequence) ||
	    is_there(late, event->sequence, hash))
		return;
	if (late->count == 0)
		late->first = event->sequence;
	*kept = *event;
	kept->source = copy(late, event->source);
	kept->id = copy(late, event->id);
	kept->type = copy(late, event->type);
	kept->resource = copy(late, event->resource);
	kept->evidence = copy(late, event->evidence);
	kept->body = copy(late, event->body);
	late->bytes += event->body.length;
	late->count++;
	if (late->count == BATCH || late->bytes >= BATCH_BYTES)
		flush(late);
}

static void
take_finding(void *context, const struct spool_verify_finding *finding)
{
	struct late *late = context;

	if (finding->kind != SPOOL_VERIFY_UNREADABLE)
		return;
	flush(late); /* parts rise */
	late->reached = finding->last;
	if (late->report.disk_failed)
		spool_parts_add_within(&late->left, finding->first, finding->last,
				       &late->owed->parts);
}

/* What can be read now of all that is owed; false: SPOOL_BROKEN. */
static bool
store(struct late *late, struct error *error)
{
	const struct spool_verify_calls calls = {
	    .found = take_finding, .event = take_event, .context = late};
	const struct spool_parts *owed = &late->owed->parts;
	struct error ignored;

	/* what ends it early is in the report, or was told in bring() */
	if (!spool_verify_file(late->owed->path, owed->parts[0].first - 1, &calls, &late->report,
			       &ignored))
		ignored.text[0] = '\0';
	flush(late);
	/* where it ends is not known either */
	if (late->report.disk_failed)
		spool_parts_add_within(&late->left, late->reached + 1, INT64_MAX, owed);
	if (late->stored > 0)
		log_error("spool",
			  "%llu events of %s are stored as new ones: others have been stored since "
			  "it was put aside",
			  (unsigned long long)late->stored, late->owed->path);
	if (late->result == SPOOL_FULL)
		log_error("spool", "the rest of %s is owed until the next start: %s",
			  late->owed->path, error->text);
	return late->result != SPOOL_BROKEN;
}

static bool
append(void *context, struct owed *owed, struct error *error)
{
	struct spool *spool = context;
	struct late *late;
	bool done = false;

	read_note(owed);
	if (find_obstacle(owed->path) != NULL || owed->parts.count == 0)
		return true;
	late = memory_allocate(sizeof(*late));
	late->spool = spool;
	late->owed = owed;
	late->arena = arena_new();
	late->error = error;
	if (database_prepare(spool->database, &late->find, "SELECT hash FROM events WHERE seq=?",
			     error) &&
	    store(late, error)) {
		change_note(owed, &late->left, late->report.disk_failed);
		done = true;
	}
	database_finalize(late->find);
	arena_free(late->arena);
	free(late);
	return done;
}

bool
spool_owed_append(struct spool *spool, struct error *error)
{
	return for_each(spool->directory, spool, append, error);
}
