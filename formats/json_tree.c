/*
 * No check and no limit here: the scan has passed the text, so every quote and bracket
 * has its other one, and there are as many values as it has counted.
 */
#include "formats/json_tree.h"

#include <stdlib.h>
#include <string.h>

#include "formats/json_scan.h"
#include "formats/memory.h"

enum {
	KEPT_ITEMS = 512, /* of the arena's own; a document of more takes them from the arena */
	FEW_NAMES = 24,   /* up to here each is compared with each, beyond they are sorted */
	REPLACEMENT = 0xFFFD,
};

struct reader {
	const char *at, *end;
	struct arena *arena;
	struct json_item *unused;
	size_t depth;
	struct json_item *open[JSON_SCAN_DEPTH]; /* what the value belongs to, innermost last */
};

static void
skip_space(struct reader *reader)
{
	while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' ||
	       *reader->at == '\r')
		reader->at++;
}

/* ---- strings, RFC 8259 section 7 ---- */

static unsigned
hex_number(const char *digits)
{
	unsigned number = 0;

	for (int i = 0; i < 4; i++)
		number = number << 4 | (unsigned)text_hex_digit(digits[i]);
	return number;
}

/* The code point of the \u at *at, with the second half of a pair; a lone half is none. */
static unsigned
take_code_point(const char **at)
{
	unsigned first = hex_number(*at + 2), second;

	*at += 6;
	if (first < 0xD800 || first > 0xDFFF)
		return first;
	if (first > 0xDBFF || (*at)[0] != '\\' || (*at)[1] != 'u')
		return REPLACEMENT;
	second = hex_number(*at + 2);
	if (second < 0xDC00 || second > 0xDFFF)
		return REPLACEMENT;
	*at += 6;
	return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

static void
append_utf8(struct text *text, unsigned point)
{
	if (point < 0x80) {
		text_append_byte(text, point != 0 ? (char)point : ' ');
		return;
	}
	if (point < 0x800) {
		text_append_byte(text, (char)(0xC0 | point >> 6));
	} else if (point < 0x10000) {
		text_append_byte(text, (char)(0xE0 | point >> 12));
		text_append_byte(text, (char)(0x80 | (point >> 6 & 0x3F)));
	} else {
		text_append_byte(text, (char)(0xF0 | point >> 18));
		text_append_byte(text, (char)(0x80 | (point >> 12 & 0x3F)));
		text_append_byte(text, (char)(0x80 | (point >> 6 & 0x3F)));
	}
	text_append_byte(text, (char)(0x80 | (point & 0x3F)));
}

static char
escaped(char letter)
{
	switch (letter) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return letter;
	}
}

/* What stands between the quotes, without escapes; it only gets shorter. */
static struct slice
unescape(struct reader *reader, struct slice raw)
{
	const char *at = raw.bytes, *end = raw.bytes + raw.length;
	struct text text;

	text_start(&text, arena_allocate(reader->arena, raw.length), raw.length);
	while (at < end) {
		const char *plain = at;

		while (at < end && *at != '\\')
			at++;
		text_append(&text, plain, (size_t)(at - plain));
		if (at == end)
			break;
		if (at[1] == 'u') {
			append_utf8(&text, take_code_point(&at));
		} else {
			text_append_byte(&text, escaped(at[1]));
			at += 2;
		}
	}
	return text_slice(&text);
}

static struct slice
take_string(struct reader *reader)
{
	const char *start = ++reader->at;
	const char *at = memchr(start, '"', (size_t)(reader->end - start));

	if (memchr(start, '\\', (size_t)(at - start)) == NULL) {
		reader->at = at + 1;
		return (struct slice){start, (size_t)(at - start)};
	}
	/* the quote may be one of the string's */
	for (at = start; *at != '"'; at++)
		if (*at == '\\')
			at++;
	reader->at = at + 1;
	return unescape(reader, (struct slice){start, (size_t)(at - start)});
}

/* ---- values ---- */

static struct slice
take_word(struct reader *reader, const char *word)
{
	struct slice taken = {reader->at, strlen(word)};

	reader->at += taken.length;
	return taken;
}

/* Digits, sign, point and exponent alone; what ends them is none of these. */
static struct slice
take_number(struct reader *reader)
{
	const char *start = reader->at, *at = start;

	while ((*at >= '0' && *at <= '9') || *at == '.' || *at == '-' || *at == '+' ||
	       (*at | 0x20) == 'e')
		at++;
	reader->at = at;
	return (struct slice){start, (size_t)(at - start)};
}

static void
take_value(struct reader *reader, struct json_item *item)
{
	switch (*reader->at) {
	case '{':
	case '[':
		item->kind = *reader->at++ == '{' ? JSON_OBJECT : JSON_ARRAY;
		reader->open[reader->depth++] = item;
		break;
	case '"':
		item->kind = JSON_STRING;
		item->text = take_string(reader);
		break;
	case 't':
		item->kind = JSON_BOOLEAN;
		item->text = take_word(reader, "true");
		break;
	case 'f':
		item->kind = JSON_BOOLEAN;
		item->text = take_word(reader, "false");
		break;
	case 'n':
		item->kind = JSON_NULL;
		(void)take_word(reader, "null");
		break;
	default:
		item->kind = JSON_NUMBER;
		item->text = take_number(reader);
	}
}

/* ---- equal names ---- */

static int
compare_names(const void *left, const void *right)
{
	const struct json_item *a = *(const struct json_item *const *)left;
	const struct json_item *b = *(const struct json_item *const *)right;

	if (a->name.length != b->name.length)
		return a->name.length < b->name.length ? -1 : 1;
	return memcmp(a->name.bytes, b->name.bytes, a->name.length);
}

/* Among many a sender could make comparing each with each dear. */
static bool
repeats_among_many(const struct json_item *object, size_t count)
{
	const struct json_item **members = memory_allocate_array(count, sizeof(const void *));
	bool repeats = false;
	size_t i = 0;

	for (const struct json_item *member = object->first; member != NULL; member = member->next)
		members[i++] = member;
	qsort(members, count, sizeof(const void *), compare_names);
	for (i = 1; i < count && !repeats; i++)
		repeats = text_slices_equal(members[i - 1]->name, members[i]->name);
	free(members);
	return repeats;
}

static bool
repeats_name(const struct json_item *object)
{
	size_t count = 0;

	for (const struct json_item *member = object->first; member != NULL; member = member->next)
		count++;
	if (count > FEW_NAMES)
		return repeats_among_many(object, count);
	for (const struct json_item *member = object->first; member != NULL; member = member->next)
		for (const struct json_item *other = member->next; other != NULL;
		     other = other->next)
			if (other->name.length == member->name.length &&
			    memcmp(other->name.bytes, member->name.bytes, other->name.length) == 0)
				return true;
	return false;
}

/* ---- the whole ---- */

/* Reads an item, with its name where it has one; one that holds others stays open. */
static struct json_item *
take_item(struct reader *reader, bool is_member)
{
	struct json_item *item = reader->unused++;

	*item = (struct json_item){.kind = JSON_NULL};
	skip_space(reader);
	if (is_member) {
		item->name = take_string(reader);
		skip_space(reader);
		reader->at++; /* the colon */
		skip_space(reader);
	}
	take_value(reader, item);
	return item;
}

/* Goes through what is in the object, and in what that holds; false: a name is there twice. */
static bool
take_all(struct reader *reader)
{
	struct json_item *last[JSON_SCAN_DEPTH]; /* of what is open, what was read last */
	bool is_first = true;

	while (reader->depth > 0) {
		size_t level = reader->depth - 1;
		struct json_item *around = reader->open[level], *item;

		skip_space(reader);
		if (*reader->at == ']' || *reader->at == '}') {
			reader->at++;
			reader->depth--;
			if (around->kind == JSON_OBJECT && repeats_name(around))
				return false;
			is_first = false;
			continue;
		}
		if (*reader->at == ',')
			reader->at++;
		item = take_item(reader, around->kind == JSON_OBJECT);
		if (is_first)
			around->first = item;
		else
			last[level]->next = item;
		last[level] = item;
		is_first = reader->depth > level + 1;
	}
	return true;
}

static void *
make_items(void)
{
	return memory_allocate_array(KEPT_ITEMS, sizeof(struct json_item));
}

bool
json_tree_read(const struct json_item **object, struct slice text, struct arena *arena,
	       struct error *error)
{
	struct reader reader = {.at = text.bytes, .end = text.bytes + text.length, .arena = arena};
	struct json_item *items;
	struct json_scan scan;

	if (!json_scan(text, &scan, error))
		return false;
	if (scan.outermost != '{')
		return error_set(error, "not a JSON object");
	items = scan.values <= KEPT_ITEMS ? arena_keep(arena, make_items, free)
					  : arena_allocate(arena, scan.values * sizeof(*items));
	reader.unused = items;
	(void)take_item(&reader, false);
	if (!take_all(&reader))
		return error_set(error, "the same name twice in one JSON object");
	*object = items;
	return true;
}
