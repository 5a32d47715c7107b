/*
 * The hash is FNV-1a with a final mix: no secret, because who could choose ids to
 * collide would have to be a sender whose signature is good, and would hide that an
 * event of its own is missing.
 */
#include "bridge/commands/holding.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/commands/progress.h"
#include "bridge/gzip.h"
#include "formats/arena.h"
#include "formats/memory.h"
#include "formats/recognise.h"

enum {
	KIB = 1024,
	LINE = 1024 * 1024,     /* bytes; what is longer is looked at in pieces of it */
	PAGES = 65536,          /* of numbers */
	PAGE = 65536,           /* numbers of a page */
	PAGE_WORDS = PAGE / 64, /* 8 KiB */
	RECORDS = 4096,         /* read at a time */
};

struct record {
	uint64_t hash;
	uint64_t line;
};

struct holding {
	FILE *records; /* without a name: it goes with the process */
	struct arena *arena;
	char *buffer; /* LINE bytes */
	uint64_t *pages[PAGES];
	struct holding_counts counts;
	size_t ids_of_line;
	struct progress *progress; /* NULL: nobody looks */
	uint64_t done;             /* bytes of the files before this one */
	bool failed;               /* a record could not be written */
};

struct holding *
holding_new(void)
{
	struct holding *holding = memory_allocate(sizeof(*holding));

	holding->arena = arena_new();
	holding->buffer = memory_allocate(LINE);
	return holding;
}

void
holding_free(struct holding *holding)
{
	if (holding == NULL)
		return;
	for (size_t i = 0; i < PAGES; i++)
		free(holding->pages[i]);
	if (holding->records != NULL)
		(void)fclose(holding->records);
	arena_free(holding->arena);
	free(holding->buffer);
	free(holding);
}

/* Without what the forwarder puts behind the id of one of two bodies: "~" and a sequence. */
static size_t
length_of_own(struct slice id)
{
	size_t at = id.length;

	while (at > 0 && id.bytes[at - 1] >= '0' && id.bytes[at - 1] <= '9')
		at--;
	return at > 1 && at < id.length && id.bytes[at - 1] == '~' ? at - 1 : id.length;
}

uint64_t
holding_hash(struct slice id)
{
	uint64_t hash = 14695981039346656037U;

	id.length = length_of_own(id);
	for (size_t i = 0; i < id.length; i++)
		hash = (hash ^ (unsigned char)id.bytes[i]) * 1099511628211U;
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdU;
	return hash ^ hash >> 33;
}

/* ---- a line ---- */

static void
take_id(void *context, struct slice id)
{
	struct holding *holding = context;
	const struct record record = {holding_hash(id), holding->counts.lines};

	holding->ids_of_line++;
	if (recognise_is_heartbeat(id)) {
		holding->counts.heartbeats++;
		return;
	}
	holding->counts.ids++;
	if (fwrite(&record, sizeof(record), 1, holding->records) != 1)
		holding->failed = true;
}

static void
take_number(void *context, uint64_t number)
{
	struct holding *holding = context;
	struct holding_counts *counts = &holding->counts;
	uint64_t **page = &holding->pages[number / PAGE];
	uint64_t bit = UINT64_C(1) << number % 64;
	uint64_t *word;

	if (*page == NULL)
		*page = memory_allocate_array(PAGE_WORDS, sizeof(**page));
	word = &(*page)[number % PAGE / 64];
	if ((*word & bit) != 0) {
		counts->again++;
		return;
	}
	*word |= bit;
	counts->numbers++;
	if (counts->lowest == 0 || number < counts->lowest)
		counts->lowest = number;
	if (number > counts->highest)
		counts->highest = number;
}

static void
take_line(struct holding *holding, struct slice line)
{
	const struct recognise_calls calls = {take_id, take_number, holding};

	holding->counts.lines++;
	holding->ids_of_line = 0;
	(void)recognise_line(line, holding->arena, &calls);
	if (holding->ids_of_line == 0)
		holding->counts.without++;
	arena_clear(holding->arena);
}

/* ---- a file ---- */

/* The whole lines at the beginning of the buffer; returns how many bytes are left over. */
static size_t
take_lines(struct holding *holding, size_t length)
{
	char *bytes = holding->buffer, *end;

	while ((end = memchr(bytes, '\n', length)) != NULL) {
		size_t line = (size_t)(end - bytes);

		if (line > 0)
			take_line(holding, (struct slice){bytes, line});
		bytes += line + 1;
		length -= line + 1;
	}
	if (length == LINE) {
		take_line(holding, (struct slice){bytes, length});
		length = 0;
	}
	memmove(holding->buffer, bytes, length);
	return length;
}

static bool
read_all(struct holding *holding, struct gzip_file *file, struct error *error)
{
	size_t kept = 0, got;

	do {
		if (!gzip_read(file, holding->buffer + kept, LINE - kept, &got, error))
			return false;
		kept = take_lines(holding, kept + got);
		if (holding->progress != NULL)
			progress_show(holding->progress, (holding->done + gzip_offset(file)) / KIB);
	} while (got > 0);
	if (kept > 0)
		take_line(holding, (struct slice){holding->buffer, kept});
	return !holding->failed || error_set_errno(error, "the temporary file cannot be written");
}

void
holding_watch(struct holding *holding, struct progress *progress)
{
	holding->progress = progress;
}

bool
holding_read(struct holding *holding, const char *path, struct error *error)
{
	bool is_input = strcmp(path, "-") == 0;
	int descriptor = is_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct gzip_file *file;
	bool done;

	if (descriptor < 0)
		return error_set_errno(error, "%s", path);
	file = gzip_open(descriptor);
	if (holding->records == NULL)
		holding->records = tmpfile();
	done = holding->records != NULL ? read_all(holding, file, error)
					: error_set_errno(error, "no temporary file in " P_tmpdir);
	holding->done += gzip_offset(file);
	gzip_close(file);
	return done || error_prefix(error, "%s", path);
}

/* ---- asking ---- */

struct holding_counts
holding_counts(const struct holding *holding)
{
	struct holding_counts counts = holding->counts;

	if (counts.lowest > 0)
		counts.absent = counts.highest - counts.lowest + 1 - counts.numbers;
	return counts;
}

bool
holding_each(struct holding *holding, void (*each)(void *context, uint64_t hash, uint64_t line),
	     void *context, struct error *error)
{
	struct record *records;
	size_t count;

	if (holding->records == NULL)
		return true;
	if (fflush(holding->records) != 0)
		return error_set_errno(error, "the temporary file cannot be written");
	rewind(holding->records);
	records = memory_allocate_array(RECORDS, sizeof(*records));
	while ((count = fread(records, sizeof(*records), RECORDS, holding->records)) > 0)
		for (size_t i = 0; i < count; i++)
			each(context, records[i].hash, records[i].line);
	free(records);
	return ferror(holding->records) == 0 ||
	       error_set_errno(error, "the temporary file cannot be read");
}

static bool
has_number(const struct holding *holding, uint64_t number)
{
	const uint64_t *page = holding->pages[number / PAGE];

	return page != NULL && (page[number % PAGE / 64] >> number % 64 & 1) != 0;
}

void
holding_gaps(const struct holding *holding,
	     bool (*each)(void *context, uint64_t first, uint64_t last), void *context)
{
	uint64_t first = 0;

	if (holding->counts.lowest == 0)
		return;
	for (uint64_t n = holding->counts.lowest; n <= holding->counts.highest; n++) {
		if (!has_number(holding, n)) {
			first = first == 0 ? n : first;
		} else if (first > 0) {
			if (!each(context, first, n - 1))
				return;
			first = 0;
		}
	}
}
