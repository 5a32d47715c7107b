/*
 * The connection of a destination.  Whatever happens to it, the next one begins at the
 * cursor, with nothing in the batch and nothing in the window.
 */
#include "bridge/deadline.h"
#include "bridge/forwarder/destination_internal.h"

static struct connect_patience
patience_of(const struct destination *destination)
{
	return (struct connect_patience){
	    .wake = destination->wake,
	    .stopping = &destination->stopping,
	};
}

/* A fresh connection goes on waiting for what an earlier one handed over. */
static void
recall(const struct destination *destination)
{
	const struct uplink *uplink = &destination->uplink;

	if (destination->settings.acks != NULL)
		uplink->kind->recall(uplink->connection, destination->settings.acks);
}

void
destination_connection_begin(struct destination *destination)
{
	destination->paused_until = 0;
	destination->head = destination->cursor;
	batch_clear(destination->batch);
	destination->batch->offset = 0;
	window_clear(destination->window);
}

bool
destination_connection_open(struct destination *destination, struct error *error)
{
	const struct connect_patience patience = patience_of(destination);

	if (destination->uplink.connection != NULL)
		return true;
	if (!uplink_open(&destination->uplink, &patience, error))
		return false;
	recall(destination);
	destination_retry_over(
	    destination, destination->complaint.text[0] != '\0' ? "connected again" : "connected");
	return true;
}

void
destination_connection_move(struct destination *destination)
{
	const struct connect_patience patience = patience_of(destination);

	if (!uplink_move(&destination->uplink, &patience))
		return;
	recall(destination);
	destination_connection_begin(destination);
	destination_retry_over(destination, "moved");
}

void
destination_connection_close(struct destination *destination)
{
	uplink_close(&destination->uplink);
	destination_connection_begin(destination);
}

uint64_t
destination_connection_written(const struct destination *destination)
{
	return destination->batch->offset + destination->batch->sent;
}

void
destination_connection_watch(const struct destination *destination, struct send_watch *watch)
{
	const struct uplink *uplink = &destination->uplink;

	uplink->kind->watch(uplink->connection, !batch_is_sent(destination->batch),
			    destination_connection_written(destination), watch);
}

bool
destination_connection_rests(const struct destination *destination)
{
	struct send_watch watch = {.descriptor = -1, .at = INT64_MAX};

	if (destination->uplink.connection == NULL)
		return false;
	destination_connection_watch(destination, &watch);
	return watch.not_before > deadline_now();
}
