#include "bridge/forwarder/replays.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/log.h"
#include "bridge/spool/delivery_replay.h"
#include "formats/memory.h"

enum { ORDERS_A_TURN = 16, OBJECT_LENGTH = 128 /* bytes */ };

struct replays {
	struct ledger *ledger;
	const char *directory;
	uint64_t epoch;
	struct slot {
		struct delivery_replay *replay; /* under way; NULL: none */
		bool done;                      /* nothing waits in delivery.db either */
	} slots[COUNTERS_DESTINATIONS];
};

struct replays *
replays_new(struct ledger *ledger, const char *spool_directory, uint64_t epoch)
{
	struct replays *replays = memory_allocate(sizeof(*replays));

	replays->ledger = ledger;
	replays->directory = spool_directory;
	replays->epoch = epoch;
	return replays;
}

void
replays_free(struct replays *replays)
{
	if (replays == NULL)
		return;
	for (size_t i = 0; i < COUNTERS_DESTINATIONS; i++)
		delivery_replay_free(replays->slots[i].replay);
	free(replays);
}

/* What the log says it is about: written to `object`, which it returns. */
static const char *
object_of(const char *destination, char object[OBJECT_LENGTH])
{
	struct text text;

	text_start(&text, object, OBJECT_LENGTH - 1);
	text_append_string(&text, "destination=");
	text_append_string(&text, destination);
	object[text.length] = '\0';
	return object;
}

/* ---- orders ---- */

static bool
carry_out(struct replays *replays, const struct order *order, struct error *error)
{
	struct delivery *delivery = ledger_delivery(replays->ledger);
	char object[OBJECT_LENGTH];
	uint64_t dropped = 0;

	if (order->action == ORDER_REPLAY) {
		if (!delivery_replay_add(delivery, order, replays->epoch, error))
			return false;
		log_info(object_of(order->destination, object),
			 "%s asked for events %llu to %llu again", order->by,
			 (unsigned long long)order->ranges[0].first,
			 (unsigned long long)order->ranges[order->range_count - 1].last);
		return true;
	}
	if (!delivery_replay_drop(delivery, order, &dropped, error))
		return false;
	log_info("dead", "%s dropped %llu dead letter(s): %s", order->by,
		 (unsigned long long)dropped, order->reason);
	return true;
}

/* True where there was one, carried out and gone. */
static bool
take_order(struct replays *replays, struct error *error)
{
	struct order order;
	bool found, done;

	if (!order_next(replays->directory, ORDER_FORWARDER, &order, &found, error))
		return false;
	if (!found) {
		error->text[0] = '\0';
		return false;
	}
	/* durable, then removed: a crash between the two carries it out once all the same */
	done = carry_out(replays, &order, error) && order_done(replays->directory, &order, error);
	order_free(&order);
	return done;
}

static void
take_orders(struct replays *replays)
{
	struct error error = {.text = ""};
	int taken = 0;

	while (taken < ORDERS_A_TURN && take_order(replays, &error))
		taken++;
	if (error.text[0] != '\0')
		log_error("request", "%s; it stays and is tried again", error.text);
	for (size_t i = 0; taken > 0 && i < COUNTERS_DESTINATIONS; i++)
		replays->slots[i].done = false;
}

/* ---- destinations ---- */

/* What was confirmed to its end, durably, is over. */
static void
close_slot(struct replays *replays, size_t i, const char *name)
{
	struct slot *slot = &replays->slots[i];
	const struct delivery_cursor *saved = ledger_saved(replays->ledger, i);
	char object[OBJECT_LENGTH];

	if (slot->replay == NULL || saved == NULL || saved->replay != slot->replay->number ||
	    saved->replayed < slot->replay->last)
		return;
	log_info(object_of(name, object), "replay %llu has reached its end",
		 (unsigned long long)slot->replay->number);
	delivery_replay_free(slot->replay);
	slot->replay = NULL;
}

static void
fill_slot(struct replays *replays, size_t i, struct destination *destination)
{
	struct slot *slot = &replays->slots[i];
	struct error error;
	uint64_t stale = 0;

	while (slot->replay == NULL && !slot->done) {
		if (!delivery_replay_next(ledger_delivery(replays->ledger),
					  destination_name(destination), replays->epoch,
					  &slot->replay, &stale, &error)) {
			log_error("replay", "%s; trying again", error.text);
			return;
		}
		if (stale != 0)
			log_warning("replay", "replay %llu was of a spool that is gone",
				    (unsigned long long)stale);
		slot->done = slot->replay == NULL && stale == 0;
		if (slot->replay != NULL)
			destination_replay(destination, slot->replay);
	}
}

void
replays_tend(struct replays *replays, struct destination *const *destinations, size_t count)
{
	take_orders(replays);
	for (size_t i = 0; i < count; i++) {
		close_slot(replays, i, destination_name(destinations[i]));
		fill_slot(replays, i, destinations[i]);
	}
}
