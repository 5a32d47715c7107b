#include "bridge/forwarder/hec_channel.h"

#include <string.h>
#include <sys/random.h>

#include "formats/memory.h"

/* A random UUID (RFC 9562 5.4). */
static void
make_name(char name[DELIVERY_CHANNEL + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];
	struct text text;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		memory_panic("no random bytes");
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	text_start(&text, name, DELIVERY_CHANNEL);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		text_append_byte(&text, digits[bytes[i] >> 4]);
		text_append_byte(&text, digits[bytes[i] & 0x0f]);
		if (i == 3 || i == 5 || i == 7 || i == 9)
			text_append_byte(&text, '-');
	}
	name[DELIVERY_CHANNEL] = '\0';
}

void
hec_channel_begin(struct hec_channel *channel, const char *configured, bool wanted)
{
	memset(channel, 0, sizeof(*channel));
	channel->fixed = configured != NULL;
	if (configured != NULL)
		memcpy(channel->name, configured, DELIVERY_CHANNEL + 1);
	else if (wanted)
		make_name(channel->name);
}

bool
hec_channel_leave(struct hec_channel *channel, struct acks *acks)
{
	uint64_t doubtful = channel->fixed ? UINT64_MAX : channel->first;
	bool again = channel->has_given && acks_forget(acks, channel->name, doubtful);

	channel->has_given = false;
	if (!channel->fixed)
		make_name(channel->name);
	return again;
}

bool
hec_channel_take(struct hec_channel *channel, struct acks *acks, uint64_t id)
{
	bool again = false;

	if (channel->has_given && id <= channel->last) {
		again = acks_forget(acks, channel->name, UINT64_MAX);
		channel->has_given = false;
	}
	if (!channel->has_given)
		channel->first = id;
	channel->has_given = true;
	channel->last = id;
	return again;
}

bool
hec_channel_keeps(const struct hec_channel *channel, uint64_t id)
{
	return !channel->fixed && id != channel->first;
}
