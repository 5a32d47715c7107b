#include "bridge/forwarder/frame.h"

static bool
ends_a_line(char byte)
{
	return byte == '\n' || byte == '\r' || byte == '\0';
}

/* Our formats write none of these bytes; this holds for whatever is added to them. */
static void
append_line(struct slice message, struct text *text)
{
	size_t start = 0;

	for (size_t i = 0; i < message.length; i++) {
		if (!ends_a_line(message.bytes[i]))
			continue;
		text_append(text, message.bytes + start, i - start);
		text_append_byte(text, ' ');
		start = i + 1;
	}
	text_append(text, message.bytes + start, message.length - start);
	text_append_byte(text, '\n');
}

void
frame_append(enum frame frame, struct slice message, struct text *text)
{
	if (message.length == 0)
		return;
	switch (frame) {
	case FRAME_OCTET_COUNTING:
		text_append_unsigned(text, message.length);
		text_append_byte(text, ' ');
		text_append_slice(text, message);
		break;
	case FRAME_LF:
		append_line(message, text);
		break;
	case FRAME_NONE:
		text_append_slice(text, message);
		break;
	}
}
