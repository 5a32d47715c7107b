#include "bridge/forwarder/render.h"

#include <stdlib.h>

#include "bridge/forwarder/frame.h"
#include "bridge/route.h"
#include "formats/error.h"
#include "formats/memory.h"

/* A file has no largest message of its own. */
enum { FILE_LARGEST_MESSAGE = 1 << 20 };

struct render {
	const struct format *format; /* NULL: see write_message() */
	struct format_options options;
	bool syslog; /* the line is to be a syslog message; else it is the format's alone */
	enum frame frame;
	size_t bytes;        /* of a batch */
	struct text message; /* the one being written; its capacity is the largest allowed */
};

static enum frame
frame_of(const struct config_destination *destination)
{
	if (destination->syslog == NULL)
		return FRAME_LF;
	switch (destination->syslog->transport) {
	case CONFIG_TRANSPORT_TCP:
	case CONFIG_TRANSPORT_UNIX_STREAM:
		return destination->syslog->framing == CONFIG_FRAMING_LF ? FRAME_LF
									 : FRAME_OCTET_COUNTING;
	case CONFIG_TRANSPORT_TLS:
		return FRAME_OCTET_COUNTING;
	case CONFIG_TRANSPORT_UDP:
	case CONFIG_TRANSPORT_UNIX:
	case CONFIG_TRANSPORT_RELP: /* whose frames are made when they are sent: send_relp.c */
	case CONFIG_TRANSPORT_RELP_TLS:
		break;
	}
	return FRAME_NONE;
}

struct render *
render_new(const struct config_destination *destination)
{
	struct render *render = memory_allocate(sizeof(*render));
	size_t largest = FILE_LARGEST_MESSAGE;

	render->format = destination->format;
	render->options = destination->options;
	render->syslog = destination->syslog != NULL;
	render->frame = frame_of(destination);
	render->bytes = BATCH_BYTES;
	if (destination->splunk_hec != NULL) {
		render->bytes = (size_t)destination->splunk_hec->batch_size;
		if (render->bytes < largest)
			largest = render->bytes;
	}
	if (render->syslog) {
		largest = (size_t)destination->syslog->max_message_size;
		render->options.maximum_length = largest;
	}
	text_start(&render->message, memory_allocate(largest), largest);
	return render;
}

void
render_free(struct render *render)
{
	if (render == NULL)
		return;
	free(render->message.bytes);
	free(render);
}

size_t
render_capacity(const struct render *render)
{
	return render->bytes + render->message.capacity + FRAME_OVERHEAD;
}

size_t
render_bytes(const struct render *render)
{
	return render->bytes;
}

/* Nothing more fits: a batch is not left for the sake of one message more. */
static bool
is_full(const struct render *render, const struct batch *batch)
{
	size_t length = render->message.length + FRAME_OVERHEAD;

	return batch->message_count > 0 && (batch->output.length >= render->bytes ||
					    length > render->bytes - batch->output.length);
}

/* False where even the shortest form of it does not fit. */
static bool
write_message(struct render *render, const struct event *event, uint64_t number)
{
	text_cut(&render->message, 0);
	render->options.sequence_number = route_sequence_id(number);
	/* What is written for people is written when it is sent: one byte holds its place. */
	if (render->format == NULL) {
		text_append_byte(&render->message, '.');
		return true;
	}
	if (render->syslog)
		format_write_syslog(render->format, event, &render->options, &render->message);
	else
		format_write(render->format, event, &render->options, &render->message);
	return !render->message.overflowed;
}

uint64_t
render_batch(struct render *render, struct batch *batch, uint64_t number)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_item *item = &batch->items[i];

		if (item->fate != BATCH_WANTED)
			continue;
		if (!write_message(render, &item->event, number + 1)) {
			struct error error;

			error_set(&error, "as %s it is longer than the %zu bytes of %s",
				  render->format->name, render->message.capacity,
				  render->syslog ? "max_message_size" : "a message");
			batch_kill(batch, i, error.text);
			continue;
		}
		if (is_full(render, batch)) {
			batch_cut(batch, i);
			break;
		}
		number++;
		frame_append(render->frame, text_slice(&render->message), &batch->output);
		batch_add_message(batch, i, number);
	}
	return number;
}
