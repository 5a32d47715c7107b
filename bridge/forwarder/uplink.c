#include "bridge/forwarder/uplink.h"

#include "bridge/deadline.h"

/* ---- the addresses ---- */

/* A destination without addresses has one all the same: where its kind knows it from. */
static size_t
count_of(const struct uplink *uplink)
{
	const struct config_several *several = config_several_of(uplink->configuration);

	return several != NULL && several->count > 1 ? several->count : 1;
}

static bool
takes_turns(const struct uplink *uplink)
{
	const struct config_several *several = config_several_of(uplink->configuration);

	return several != NULL && several->balance == CONFIG_BALANCE_ROUND_ROBIN;
}

/* When a connection to the current address is to be left. */
static int64_t
next_move(const struct uplink *uplink)
{
	const struct config_several *several = config_several_of(uplink->configuration);

	if (count_of(uplink) == 1)
		return INT64_MAX;
	if (takes_turns(uplink))
		return deadline_now() + several->rotate;
	return uplink->current > 0 ? deadline_now() + several->failback : INT64_MAX;
}

/* ---- the connection ---- */

void
uplink_start(struct uplink *uplink, const struct config_destination *configuration)
{
	*uplink = (struct uplink){
	    .kind = send_kind_of(configuration),
	    .configuration = configuration,
	    .due = INT64_MAX,
	};
}

void
uplink_close(struct uplink *uplink)
{
	if (uplink->connection != NULL)
		uplink->kind->close(uplink->connection);
	uplink->connection = NULL;
	uplink->due = INT64_MAX;
}

void
uplink_shun(struct uplink *uplink)
{
	uplink_close(uplink);
	uplink->shunned = uplink->used;
}

/* "what was said before; what is said now" */
static void
join(struct error *error, const struct error *before)
{
	const struct error now = *error;

	error_set(error, "%s; %s", before->text, now.text);
}

/*
 * The first of `count` addresses from `first` on that accepts.  What all of them
 * said is told, in their order, as far as it has room.
 */
static bool
open_any(struct uplink *uplink, void **connection, size_t first, size_t count,
	 const struct connect_patience *patience, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		size_t index = (first + i) % count_of(uplink);
		struct error before = {.text = ""};

		if (i > 0)
			before = *error;
		if (uplink->kind->open(connection, uplink->configuration,
				       config_several_address(uplink->configuration, index),
				       patience, error)) {
			uplink->current = index;
			uplink->used = true;
			return true;
		}
		if (i > 0)
			join(error, &before);
		if (atomic_load(patience->stopping))
			break;
	}
	return false;
}

bool
uplink_open(struct uplink *uplink, const struct connect_patience *patience, struct error *error)
{
	bool next = uplink->shunned || (uplink->used && takes_turns(uplink));
	size_t first = next ? uplink->current + 1 : 0;

	if (!open_any(uplink, &uplink->connection, first, count_of(uplink), patience, error)) {
		uplink->connection = NULL;
		return false;
	}
	uplink->shunned = false;
	uplink->due = next_move(uplink);
	return true;
}

bool
uplink_is_due(const struct uplink *uplink)
{
	return uplink->due != INT64_MAX && deadline_now() >= uplink->due;
}

bool
uplink_move(struct uplink *uplink, const struct connect_patience *patience)
{
	struct connect_patience glance = *patience;
	struct error ignored; /* an address that still refuses is no news */
	void *fresh = NULL;
	bool turns = takes_turns(uplink);
	bool moved;

	glance.limit = UPLINK_GLANCE;
	moved = open_any(uplink, &fresh, turns ? uplink->current + 1 : 0,
			 turns ? count_of(uplink) - 1 : uplink->current, &glance, &ignored);
	if (moved) {
		uplink_close(uplink);
		uplink->connection = fresh;
	}
	uplink->due = next_move(uplink);
	return moved;
}
