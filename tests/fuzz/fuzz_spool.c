/*
 * A spool whose file was changed on disk: the input is places and bytes (4 and 1 each)
 * put into a good one.  Reading ends, in an error or with events; what is said to be
 * intact is what was written.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/spool/spool.h"
#include "formats/arena.h"
#include "formats/memory.h"

enum { EVENTS = 40, LIMIT = 16, CHANGE = 5, LONGEST_BODY = 1500 };

static char directory[] = "/dev/shm/fuzz_spool.XXXXXX";
static char path[64];
static unsigned char *good;
static size_t good_size;

static void
clean_up(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	(void)!system(command); /* NOLINT(bugprone-command-processor,cert-env33-c): ours */
}

/* A pure function of the number. */
static void
fill_event(struct spool_event *event, size_t number, char *body)
{
	memset(event, 0, sizeof(*event));
	memset(body, 'a' + (int)(number % 26), LONGEST_BODY);
	event->received_at = 1790856000000 + (int64_t)number;
	event->source = SLICE_LITERAL("anyint");
	event->id = (struct slice){body, 1 + number};
	event->type = SLICE_LITERAL("key.created");
	event->body = (struct slice){body, LONGEST_BODY / (1 + number % 5)};
}

static void
prepare(void)
{
	static char body[LONGEST_BODY];
	struct spool_event event;
	struct spool *spool;
	struct error alarm, error;
	FILE *file;

	if (mkdtemp(directory) == NULL || atexit(clean_up) != 0)
		memory_panic("no directory");
	if (!spool_open(&spool, directory, 0, 0, &alarm, &error))
		memory_panic("%s", error.text);
	for (size_t i = 0; i < EVENTS; i++) {
		fill_event(&event, i, body);
		if (spool_append(spool, &event, 1, NULL, 0, &error) != SPOOL_DONE)
			memory_panic("%s", error.text);
	}
	if (!spool_checkpoint(spool, true, &error))
		memory_panic("%s", error.text);
	spool_close(spool);
	(void)snprintf(path, sizeof(path), "%s/spool.db", directory);
	file = fopen(path, "r");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		memory_panic("no spool");
	good_size = (size_t)ftell(file);
	good = memory_allocate(good_size);
	rewind(file);
	if (fread(good, good_size, 1, file) != 1 || fclose(file) != 0)
		memory_panic("the spool cannot be read");
}

static void
write_changed(const uint8_t *data, size_t size)
{
	unsigned char *changed = memory_allocate(good_size);
	int descriptor = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	memcpy(changed, good, good_size);
	for (; size >= CHANGE; data += CHANGE, size -= CHANGE) {
		uint32_t place;

		memcpy(&place, data, sizeof(place));
		changed[place % good_size] = data[CHANGE - 1];
	}
	if (descriptor < 0 || write(descriptor, changed, good_size) != (ssize_t)good_size)
		memory_panic("the spool cannot be written");
	(void)close(descriptor);
	free(changed);
}

static void
check_event(const struct spool_event *event, const struct spool_event *before)
{
	static char body[LONGEST_BODY];
	struct spool_event written;

	/*
	 * The first, one behind a gap, and one behind a row whose own hash may be no hash:
	 * there is nothing that they could be held against.
	 */
	if (!event->intact || before == NULL || !before->intact ||
	    event->sequence != before->sequence + 1 || event->sequence > EVENTS)
		return;
	fill_event(&written, (size_t)event->sequence - 1, body);
	if (event->body.length != written.body.length ||
	    memcmp(event->body.bytes, written.body.bytes, written.body.length) != 0)
		memory_panic("event %llu is said to be intact",
			     (unsigned long long)event->sequence);
}

static void
read_all(void)
{
	struct spool_reader *reader;
	struct arena *arena = arena_new();
	struct error error;
	uint64_t after = 0, first, last;
	size_t count, rounds = 0;

	if (spool_reader_open(&reader, directory, &error)) {
		struct spool_event *events;

		(void)spool_reader_range(reader, &first, &last, &error);
		while (rounds++ < 10 * EVENTS &&
		       spool_reader_next(reader, after, LIMIT, 65536, arena, &events, &count,
					 &error) &&
		       count > 0) {
			for (size_t i = 0; i < count; i++)
				check_event(&events[i], i > 0 ? &events[i - 1] : NULL);
			if (events[count - 1].sequence <= after)
				memory_panic("reading does not go on");
			after = events[count - 1].sequence;
			arena_clear(arena);
		}
		spool_reader_close(reader);
	}
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (good == NULL)
		prepare();
	write_changed(data, size);
	read_all();
	return 0;
}
