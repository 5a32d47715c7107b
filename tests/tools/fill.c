/*
 * Fills a spool with made events, straight through spool_append(), for figures of
 * what a big ledger costs.
 *
 *   fill DIRECTORY COUNT [FIRST]
 *
 * Event n has the id fill-NNNNNNNN (eight digits or more), one of twelve types, one
 * of a tenth as many resources (res-N), and a body of about 450 bytes that
 * normalises.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/receiver/duplicate.h"
#include "bridge/spool/spool.h"
#include "formats/memory.h"

enum { BATCH = 1000, SLOT = 1024 /* bytes of one event's texts */ };

static const char *const types[] = {
    "key.created",  "key.disabled",   "key.rotated",      "member.joined",
    "member.left",  "usage.exceeded", "usage.reported",   "invoice.issued",
    "invoice.paid", "security.login", "security.blocked", "project.created",
};

static struct slice
write_text(struct text *all, const char *format, uint64_t number)
{
	size_t before = all->length;

	text_append_string(all, format);
	text_append_padded(all, number, 8);
	return (struct slice){all->bytes + before, all->length - before};
}

static struct slice
write_body(struct text *all, const char *type, uint64_t number)
{
	size_t before = all->length;

	text_append_string(all, "{\"id\":\"evt_");
	text_append_padded(all, number, 8);
	text_append_string(all, "\",\"type\":\"");
	text_append_string(all, type);
	text_append_string(all,
			   "\",\"created_at\":\"2026-10-01T12:00:00Z\",\"data\":{\"actor\":{"
			   "\"id\":\"usr_0001\",\"email\":\"alice@example.com\",\"ip\":"
			   "\"192.0.2.10\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64)\"},"
			   "\"organization\":{\"id\":\"org_0001\",\"name\":\"Example\"},"
			   "\"project\":{\"id\":\"prj_0001\",\"name\":\"gateway\"},"
			   "\"api_key\":{\"id\":\"key_0001\",\"name\":\"production\"},"
			   "\"reason\":\"a made event, to see what a big ledger costs\"}}");
	return (struct slice){all->bytes + before, all->length - before};
}

static void
make(struct spool_event *event, struct text *all, uint64_t number, const struct duplicate *prints)
{
	const char *type = types[number * 2654435761U % 4294967296U % 12];

	memset(event, 0, sizeof(*event));
	event->received_at = deadline_wall();
	event->source = SLICE_LITERAL("anyint");
	event->id = write_text(all, "fill-", number);
	event->type = text_of(type);
	event->resource = write_text(all, "res-", number % 1000003);
	event->evidence = write_text(all, "webhook-id: fill\nwebhook-timestamp: ", number);
	event->body = write_body(all, type, number);
	duplicate_fingerprint(prints, event->source, event->id, (struct slice){NULL, 0},
			      event->fingerprints[0]);
	event->fingerprint_count = 1;
}

static int
fill(struct spool *spool, uint64_t first, uint64_t count)
{
	struct duplicate *prints = duplicate_new(spool_key(spool));
	struct spool_event *events = memory_allocate_array(BATCH, sizeof(*events));
	char *bytes = memory_allocate_array(BATCH, SLOT);
	struct error error;

	for (uint64_t done = 0; done < count;) {
		size_t batch = count - done < BATCH ? (size_t)(count - done) : BATCH;
		struct text all;

		text_start(&all, bytes, (size_t)BATCH * SLOT);
		for (size_t i = 0; i < batch; i++)
			make(&events[i], &all, first + done + i, prints);
		if (all.overflowed ||
		    spool_append(spool, events, batch, NULL, 0, &error) != SPOOL_DONE ||
		    !spool_checkpoint(spool, false, &error)) {
			(void)fprintf(stderr, "fill: %s\n", error.text);
			return EXIT_FAILURE;
		}
		done += batch;
	}
	duplicate_free(prints);
	free(events);
	free(bytes);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	uint64_t count, first = 1;
	struct error alarm, error;
	struct spool *spool;
	int64_t began;
	int status;

	if (argc < 3 || argc > 4 || !text_parse_unsigned(text_of(argv[2]), INT64_MAX, &count) ||
	    (argc == 4 && !text_parse_unsigned(text_of(argv[3]), INT64_MAX, &first))) {
		(void)fputs("usage: fill DIRECTORY COUNT [FIRST]\n", stderr);
		return 2;
	}
	if (!spool_open(&spool, argv[1], 0, 0, &alarm, &error)) {
		(void)fprintf(stderr, "fill: %s\n", error.text);
		return EXIT_FAILURE;
	}
	began = deadline_now();
	status = fill(spool, first, count);
	spool_close(spool);
	(void)printf("events=%llu milliseconds=%lld\n", (unsigned long long)count,
		     (long long)(deadline_now() - began));
	return status;
}
