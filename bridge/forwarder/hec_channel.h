/*
 * The channel on which a Splunk indexer numbers requests (ackId; standards.md 9.3).
 *
 * A number means something on its channel only, and an indexer's numbers begin anew
 * when it starts.  A request must not be taken for another one that has its number:
 *
 *   a number that does not rise   is of another life: those of before it are sent again
 *   an answer that did not come   may have been a number of another life, the first one
 *                                 there: the channel is left, and the request that has
 *                                 that number is sent again
 *   after a restart of ours       old channels are asked only, never posted on; and the
 *                                 first request of a channel is not kept on disk
 *   a channel that is configured  cannot be left: all of it is in doubt then, and nothing
 *                                 of it is kept on disk
 */
#ifndef HEC_CHANNEL_H
#define HEC_CHANNEL_H

#include "bridge/forwarder/acks.h"

struct hec_channel {
	char name[DELIVERY_CHANNEL + 1]; /* a GUID; "": none */
	bool fixed;
	bool has_given; /* a number on it: */
	uint64_t first, last;
};

/* The configured one, if not NULL; else a fresh one where `wanted`, or none. */
void hec_channel_begin(struct hec_channel *channel, const char *configured, bool wanted);

/* An answer did not come.  True: a request on the stream is to be sent again. */
bool hec_channel_leave(struct hec_channel *channel, struct acks *acks);

/* A request got that number, and is not among `acks` yet.  True: as above. */
bool hec_channel_take(struct hec_channel *channel, struct acks *acks, uint64_t id);

/* May that request be asked for after a restart? */
bool hec_channel_keeps(const struct hec_channel *channel, uint64_t id);

#endif
