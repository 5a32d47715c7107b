#include "formats/json_write.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libfastjson/json.h>

#include "formats/memory.h"
#include "formats/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* A node is libfastjson's own object; the struct is never defined. */
static struct fjson_object *
inside(struct json_node *node)
{
	return (struct fjson_object *)(void *)node;
}

static struct json_node *
outside(struct fjson_object *object)
{
	if (object == NULL)
		memory_panic("out of memory: JSON");
	return (struct json_node *)(void *)object;
}

struct json_node *
json_write_object(void)
{
	return outside(fjson_object_new_object());
}

struct json_node *
json_write_array(void)
{
	return outside(fjson_object_new_array());
}

/* The name is known to be new: without the flag each member would look at all before it. */
void
json_write_child(struct json_node *object, const char *name, struct json_node *child)
{
	fjson_object_object_add_ex(inside(object), name, inside(child),
				   FJSON_OBJECT_ADD_KEY_IS_NEW | FJSON_OBJECT_KEY_IS_CONSTANT);
}

void
json_write_child_unless_empty(struct json_node *object, const char *name, struct json_node *child)
{
	if (fjson_object_object_length(inside(child)) > 0)
		json_write_child(object, name, child);
	else
		fjson_object_put(inside(child));
}

static bool
is_clean(struct slice text)
{
	return memchr(text.bytes, '\0', text.length) == NULL && utf8_valid(text);
}

static struct json_node *
new_text(const char *bytes, size_t length)
{
	if (length > INT_MAX)
		memory_panic("JSON: a text of %zu bytes", length);
	return outside(fjson_object_new_string_len(bytes, (int)length));
}

static struct json_node *
cleaned(struct slice dirty)
{
	const size_t worst = sizeof(REPLACEMENT) - 1;
	char *bytes = memory_allocate_array(dirty.length, worst);
	struct json_node *node;
	struct text text;

	text_start(&text, bytes, dirty.length * worst);
	for (size_t i = 0; i < dirty.length;) {
		size_t length = utf8_sequence(dirty.bytes + i, dirty.length - i);

		if (length == 0 || dirty.bytes[i] == '\0') {
			text_append_string(&text, REPLACEMENT);
			i++;
			continue;
		}
		text_append(&text, dirty.bytes + i, length);
		i += length;
	}
	node = new_text(text.bytes, text.length);
	free(bytes);
	return node;
}

static struct json_node *
text_node(struct slice text)
{
	if (text.length == 0)
		return new_text("", 0);
	return is_clean(text) ? new_text(text.bytes, text.length) : cleaned(text);
}

void
json_write_text(struct json_node *object, const char *name, struct slice text)
{
	if (text.bytes != NULL)
		json_write_child(object, name, text_node(text));
}

void
json_write_number(struct json_node *object, const char *name, int64_t number)
{
	json_write_child(object, name, outside(fjson_object_new_int64(number)));
}

void
json_write_boolean(struct json_node *object, const char *name, bool value)
{
	json_write_child(object, name, outside(fjson_object_new_boolean(value)));
}

static size_t
digits_at(struct slice text, size_t from)
{
	size_t end = from;

	while (end < text.length && text.bytes[end] >= '0' && text.bytes[end] <= '9')
		end++;
	return end - from;
}

static bool
is_decimal(struct slice text)
{
	size_t at = text.length > 0 && text.bytes[0] == '-' ? 1 : 0;
	size_t whole = digits_at(text, at);

	if (whole == 0 || (whole > 1 && text.bytes[at] == '0'))
		return false;
	at += whole;
	if (at == text.length)
		return true;
	return text.bytes[at] == '.' && at + 1 < text.length &&
	       at + 1 + digits_at(text, at + 1) == text.length;
}

static size_t
count_digits(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += text.bytes[i] >= '0' && text.bytes[i] <= '9';
	return count;
}

void
json_write_decimal(struct json_node *object, const char *name, struct slice digits)
{
	enum { DIGITS = 15, LONGEST = DIGITS + 2 /* a sign and a point */ };
	char copy[LONGEST + 1];

	if (digits.bytes == NULL)
		return;
	if (!is_decimal(digits) || count_digits(digits) > DIGITS) {
		json_write_text(object, name, digits);
		return;
	}
	memcpy(copy, digits.bytes, digits.length);
	copy[digits.length] = '\0';
	/* The text is what is written; the value beside it is read by nobody. */
	json_write_child(object, name, outside(fjson_object_new_double_s(0, copy)));
}

void
json_write_element(struct json_node *array, struct json_node *child)
{
	if (fjson_object_array_add(inside(array), inside(child)) != 0)
		memory_panic("out of memory: JSON");
}

void
json_write_element_text(struct json_node *array, struct slice text)
{
	if (text.bytes != NULL)
		json_write_element(array, text_node(text));
}

static size_t
on_bytes(void *context, const char *bytes, size_t length)
{
	text_append(context, bytes, length);
	return length;
}

/* Bytes that utf8_hidden() may find something at; the C0 controls are escaped already. */
static bool
may_hide(char byte)
{
	return byte == '\x7F' || byte == '\xC2' || byte == '\xE2' || byte == '\xEF';
}

/* The code point of a sequence of one, two or three bytes. */
static unsigned
code_point(const char *bytes, size_t length)
{
	const unsigned char *byte = (const unsigned char *)bytes;

	if (length == 1)
		return byte[0];
	if (length == 2)
		return (byte[0] & 0x1FU) << 6 | (byte[1] & 0x3FU);
	return (byte[0] & 0x0FU) << 12 | (byte[1] & 0x3FU) << 6 | (byte[2] & 0x3FU);
}

/* Reads `from` anew and writes \uXXXX for what is hidden: that stands in strings alone. */
static void
append_shown(struct text *text, struct slice from)
{
	size_t done = 0;

	for (size_t at = 0; at < from.length; at++) {
		size_t length =
		    may_hide(from.bytes[at]) ? utf8_hidden(from.bytes + at, from.length - at) : 0;

		if (length == 0)
			continue;
		text_append(text, from.bytes + done, at - done);
		text_append_format(text, "\\u%04x", code_point(from.bytes + at, length));
		done = at + length;
		at = done - 1;
	}
	text_append(text, from.bytes + done, from.length - done);
}

static bool
hides_something(struct slice text)
{
	for (size_t at = 0; at < text.length; at++)
		if (may_hide(text.bytes[at]) && utf8_hidden(text.bytes + at, text.length - at) > 0)
			return true;
	return false;
}

/* What was written from `start` on once more, in a form that hides nothing. */
static void
show_hidden(struct text *text, size_t start)
{
	struct slice written = {text->bytes + start, text->length - start};
	char *copy;

	if (text->overflowed || !hides_something(written))
		return;
	copy = memory_copy_text(written.bytes, written.length);
	text_cut(text, start);
	append_shown(text, (struct slice){copy, written.length});
	free(copy);
}

void
json_write_finish(struct json_node *document, struct text *text)
{
	size_t start = text->length;

	(void)fjson_object_dump_ext(inside(document), FJSON_TO_STRING_PLAIN, on_bytes, text);
	fjson_object_put(inside(document));
	show_hidden(text, start);
}
