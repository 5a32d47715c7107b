#include "formats/escape.h"

#include "formats/utf8.h"

/* Length of the line end at `bytes`: two for CR LF, which counts as one. */
static size_t
line_end(const char *bytes, size_t left)
{
	return left >= 2 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 1;
}

/* Writes what stands for the byte or code point at `bytes`; returns how many bytes that was. */
static size_t
append_special(struct text *text, const char *bytes, size_t left, enum escape_class class)
{
	size_t length = 1;

	switch (class) {
	case ESCAPE_BACKSLASH:
		text_append_byte(text, '\\');
		text_append_byte(text, bytes[0]);
		return 1;
	case ESCAPE_LINE_END:
		length = line_end(bytes, left);
		text_append(text, length == 1 && bytes[0] == '\r' ? "\\r" : "\\n", 2);
		return length;
	case ESCAPE_HIDDEN:
		length = utf8_hidden(bytes, left);
		if (length > 0) {
			text_append_byte(text, ' ');
			return length == 1 ? line_end(bytes, left) : length;
		}
		break;
	case ESCAPE_SLASH:
		text_append_byte(text, '/');
		return 1;
	case ESCAPE_LOW_LINE:
		text_append_byte(text, '_');
		return 1;
	case ESCAPE_PLAIN:
		break;
	}
	text_append_byte(text, bytes[0]);
	return 1;
}

void
escape_append(struct text *text, struct slice value, const struct escape_table *table)
{
	size_t at = 0;

	while (at < value.length) {
		size_t run = at;

		while (run < value.length &&
		       table->classes[(unsigned char)value.bytes[run]] == ESCAPE_PLAIN)
			run++;
		text_append(text, value.bytes + at, run - at);
		at = run;
		if (at < value.length)
			at += append_special(text, value.bytes + at, value.length - at,
					     table->classes[(unsigned char)value.bytes[at]]);
	}
}

/* Length of the code point that ends behind bytes[length - 1], if it is a space or hidden. */
static size_t
blank_at_end(const char *bytes, size_t length)
{
	unsigned char end = (unsigned char)bytes[length - 1];

	if (end > ' ' && end < 0x7F) /* as most values end */
		return 0;
	for (size_t back = 1; back <= 3 && back <= length; back++) {
		const char *last = bytes + length - back;

		if (*last == ' ' && back == 1)
			return 1;
		if (utf8_hidden(last, back) == back)
			return back;
	}
	return 0;
}

struct slice
escape_trim(struct slice value)
{
	size_t blank;

	while (value.length > 0) {
		blank = *value.bytes == ' ' ? 1 : utf8_hidden(value.bytes, value.length);
		if (blank == 0)
			break;
		value.bytes += blank;
		value.length -= blank;
	}
	while (value.length > 0) {
		blank = blank_at_end(value.bytes, value.length);
		if (blank == 0)
			break;
		value.length -= blank;
	}
	return value;
}

static size_t
count_printable(struct slice name, size_t at)
{
	size_t count = 0;

	while (at + count < name.length && name.bytes[at + count] > ' ' &&
	       name.bytes[at + count] < 0x7F)
		count++;
	return count;
}

void
escape_append_name(struct text *text, struct slice name, size_t maximum)
{
	size_t at = 0, run;

	if (name.length == 0)
		text_append_byte(text, '-');
	if (name.length > maximum)
		name.length = maximum;
	while (at < name.length) {
		run = count_printable(name, at);
		text_append(text, name.bytes + at, run);
		at += run;
		if (at < name.length) {
			text_append_byte(text, '_');
			at++;
		}
	}
}
