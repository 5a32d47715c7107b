#include "bridge/forwarder/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/fault.h"
#include "bridge/http_client.h"
#include "bridge/log.h"
#include "bridge/spool/delivery.h"
#include "formats/memory.h"

/* What a destination has to tell of acknowledgements. */
struct ack_news {
	struct delivery_ack_owner owner;
	char endpoint[256];
	struct delivery_ack_change *changes; /* in their order; not yet saved */
	size_t count;
};

struct ledger {
	struct delivery *delivery;
	struct delivery_cursor cursors[COUNTERS_DESTINATIONS]; /* as they are to be saved */
	struct ack_news acks[COUNTERS_DESTINATIONS];
	size_t count;
	bool changed; /* a cursor moved since the last save */
	bool urgent;  /* a destination waits for its dead letters, or there are acknowledgements */
	int64_t next; /* deadline_now() before which nothing is saved */
};

bool
ledger_open(struct ledger **out, const char *spool_directory, struct error *error)
{
	struct ledger *ledger = memory_allocate(sizeof(*ledger));

	if (!delivery_open(&ledger->delivery, spool_directory, error)) {
		free(ledger);
		return false;
	}
	*out = ledger;
	return true;
}

void
ledger_close(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	for (size_t i = 0; i < ledger->count; i++)
		acks_free_changes(ledger->acks[i].changes, ledger->acks[i].count);
	delivery_close(ledger->delivery);
	free(ledger);
}

/* DESIGN.md, the spool, rule 3: an alarm with a count, never a silent skip. */
static void
bring_down(struct delivery_cursor *cursor, uint64_t epoch, uint64_t last)
{
	char object[128];
	struct text text;

	text_start(&text, object, sizeof(object) - 1);
	text_append_string(&text, "destination=");
	text_append_string(&text, cursor->destination);
	object[text.length] = '\0';
	if (cursor->epoch != epoch && cursor->sequence > 0) {
		log_error(
		    object,
		    "the spool was begun afresh: this destination was at event %llu of the old "
		    "one, and gets all of the new one, %llu event(s) so far; look after the "
		    "old file",
		    (unsigned long long)cursor->sequence, (unsigned long long)last);
		cursor->sequence = 0;
	} else if (cursor->sequence > last) {
		log_error(
		    object,
		    "the spool has lost %llu event(s) that this destination was sent: it ends "
		    "at %llu, the cursor was at %llu; run siembridge verify",
		    (unsigned long long)(cursor->sequence - last), (unsigned long long)last,
		    (unsigned long long)cursor->sequence);
		cursor->sequence = last;
	}
	cursor->epoch = epoch;
}

bool
ledger_begin(struct ledger *ledger, const char *destination, uint64_t epoch, uint64_t last,
	     struct position *start, struct error *error)
{
	struct delivery_cursor *cursor = &ledger->cursors[ledger->count];

	if (ledger->count == COUNTERS_DESTINATIONS)
		return error_set(error, "more than %d destinations", COUNTERS_DESTINATIONS);
	cursor->destination = destination;
	if (!delivery_load(ledger->delivery, cursor, error))
		return false;
	bring_down(cursor, epoch, last);
	start->sequence = cursor->sequence;
	start->number = cursor->number;
	ledger->count++;
	/* Known from now on: what it has not had is not pruned. */
	ledger->changed = true;
	return true;
}

/* Where those of before a restart go. */
struct recalling {
	struct acks *acks;
	int64_t longest; /* milliseconds that they may have waited */
};

static void
on_recalled(void *context, struct delivery_ack *ack)
{
	const struct recalling *recalling = context;
	int64_t age = acks_age(ack->posted_at, deadline_wall(), recalling->longest);

	acks_recall(recalling->acks, ack, deadline_now() - age);
}

/*
 * Of several addresses the first one: a channel is of one connection alone, and no other
 * indexer knows its name.
 */
static void
write_endpoint(const struct config_destination *configuration, struct ack_news *news)
{
	struct slice origin = http_client_origin(config_several_address(configuration, 0));
	struct text endpoint;

	text_start(&endpoint, news->endpoint, sizeof(news->endpoint) - 1);
	text_append(&endpoint, origin.bytes,
		    origin.length < endpoint.capacity ? origin.length : endpoint.capacity);
}

bool
ledger_recall(struct ledger *ledger, const struct config_destination *configuration,
	      struct acks **acks, struct error *error)
{
	const struct delivery_cursor *cursor = &ledger->cursors[ledger->count - 1];
	struct ack_news *news = &ledger->acks[ledger->count - 1];
	const struct config_splunk_hec *hec = configuration->splunk_hec;
	struct recalling recalling;

	*acks = NULL;
	if (hec == NULL || !hec->acknowledge)
		return true;
	write_endpoint(configuration, news);
	news->owner.destination = configuration->name;
	news->owner.endpoint = news->endpoint;
	*acks = acks_new();
	/* half of the time is left, to ask for it: the clock may have jumped, not the age */
	recalling = (struct recalling){.acks = *acks, .longest = hec->ack_timeout / 2};
	if (delivery_acks_load(ledger->delivery, &news->owner, cursor->epoch, on_recalled,
			       &recalling, error))
		return true;
	acks_free(*acks);
	*acks = NULL;
	return false;
}

static void
gather_acks(struct ledger *ledger, struct ack_news *news, struct acks *acks)
{
	size_t count = 0;
	struct delivery_ack_change *changes = acks != NULL ? acks_take(acks, &count) : NULL;

	if (count == 0)
		return;
	news->changes =
	    memory_resize_array(news->changes, news->count + count, sizeof(*news->changes));
	memcpy(news->changes + news->count, changes, count * sizeof(*changes));
	news->count += count;
	free(changes);
	/* what is not on disk at a kill is sent again: that is little where it is soon */
	ledger->urgent = true;
}

void
ledger_gather(struct ledger *ledger, struct destination *const *destinations, size_t count)
{
	size_t letters;

	for (size_t i = 0; i < count; i++) {
		struct position position;

		gather_acks(ledger, &ledger->acks[i], destination_acks(destinations[i]));
		if (destination_take_cursor(destinations[i], &position)) {
			ledger->cursors[i].sequence = position.sequence;
			ledger->cursors[i].number = position.number;
			ledger->cursors[i].replay = position.replay;
			ledger->cursors[i].replayed = position.replayed;
			ledger->changed = true;
		}
		if (destination_dead(destinations[i], &letters) != NULL)
			ledger->urgent = true;
	}
}

void
ledger_complain(struct ledger *ledger, struct destination *const *destinations, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct complaint *complaint = destination_take_complaint(destinations[i]);
		struct delivery_trouble trouble = {.destination =
						       destination_name(destinations[i])};
		struct error error;

		if (complaint == NULL)
			continue;
		trouble.at = complaint->at;
		trouble.failures = complaint->failures;
		trouble.text = complaint->error.text;
		if (!delivery_complain(ledger->delivery, &trouble, &error))
			log_warning("delivery", "%s", error.text);
		free(complaint);
	}
}

const struct delivery_cursor *
ledger_saved(const struct ledger *ledger, size_t destination)
{
	return ledger->changed || ledger->urgent ? NULL : &ledger->cursors[destination];
}

struct delivery *
ledger_delivery(const struct ledger *ledger)
{
	return ledger->delivery;
}

int64_t
ledger_due(const struct ledger *ledger)
{
	int64_t left = ledger->next - deadline_now();

	if (!ledger->changed && !ledger->urgent)
		return INT64_MAX;
	/* An urgent one does not wait for the interval, only for a retry. */
	if (ledger->urgent && left <= LEDGER_INTERVAL)
		return 0;
	return left > 0 ? left : 0;
}

/* The letters of all destinations, one behind the other; freed with free(). */
static struct delivery_dead *
collect_letters(struct destination *const *destinations, size_t count, bool *buries, size_t *total)
{
	struct delivery_dead *letters = NULL;

	*total = 0;
	for (size_t i = 0; i < count; i++) {
		size_t more = 0;
		const struct delivery_dead *waiting = destination_dead(destinations[i], &more);

		buries[i] = waiting != NULL;
		if (waiting == NULL)
			continue;
		letters = memory_resize_array(letters, *total + more, sizeof(*letters));
		memcpy(letters + *total, waiting, more * sizeof(*letters));
		*total += more;
	}
	return letters;
}

/*
 * Before the cursors: what stands behind a cursor that was not saved is of no harm,
 * and what is missing is sent again.
 */
static bool
save_acks(struct ledger *ledger, struct error *error)
{
	for (size_t i = 0; i < ledger->count; i++) {
		struct ack_news *news = &ledger->acks[i];

		if (news->count == 0)
			continue;
		if (!delivery_acks_save(ledger->delivery, &news->owner, ledger->cursors[i].epoch,
					news->changes, news->count, error))
			return false;
		acks_free_changes(news->changes, news->count);
		news->changes = NULL;
		news->count = 0;
	}
	return true;
}

bool
ledger_save(struct ledger *ledger, struct destination *const *destinations, size_t count,
	    struct error *error)
{
	bool buries[COUNTERS_DESTINATIONS];
	size_t letter_count;
	struct delivery_dead *letters = collect_letters(destinations, count, buries, &letter_count);
	bool saved;

	fault_point("forwarder-before-save");
	saved =
	    save_acks(ledger, error) && delivery_save(ledger->delivery, ledger->cursors,
						      ledger->count, letters, letter_count, error);
	fault_point("forwarder-after-save");
	free(letters);
	ledger->next = deadline_now() + (saved ? LEDGER_INTERVAL : LEDGER_RETRY);
	if (!saved)
		return false;
	ledger->changed = false;
	ledger->urgent = false;
	for (size_t i = 0; i < count; i++)
		if (buries[i])
			destination_buried(destinations[i]);
	return true;
}
