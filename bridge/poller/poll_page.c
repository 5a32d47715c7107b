#include "bridge/poller/poll_page.h"

#include <string.h>

#include "bridge/http_client.h"
#include "formats/json_read.h"
#include "formats/timestamp.h"

enum { LONGEST_NAME = 200 /* of a member: a whole pointer has no more */ };

static const struct slice absent = {NULL, 0};

/* The value that a pointer of names leads to, its bytes; absent where there is none. */
static struct slice
value_at(struct slice value, const char *pointer)
{
	while (pointer != NULL && *pointer == '/' && value.bytes != NULL) {
		size_t length = strcspn(pointer + 1, "/");
		char name[LONGEST_NAME + 1];
		struct text text;

		text_start(&text, name, sizeof(name) - 1);
		text_append(&text, pointer + 1, length);
		name[text.length] = '\0';
		value = text.overflowed ? absent : json_split_member(value, name);
		pointer += 1 + length;
	}
	return value;
}

/* A string, number or boolean as text, read strictly; absent for anything else. */
static struct slice
text_at(struct slice value, const char *pointer, struct arena *arena)
{
	struct slice found = value_at(value, pointer), result = absent;
	struct json_value *document;
	struct json_member member;
	struct error error;
	struct text text;
	size_t capacity;

	if (pointer == NULL || found.bytes == NULL)
		return absent;
	capacity = found.length + sizeof("{\"v\":}");
	text_start(&text, arena_allocate(arena, capacity), capacity);
	text_append_string(&text, "{\"v\":");
	text_append_slice(&text, found);
	text_append_byte(&text, '}');
	if (!json_read(&document, text_slice(&text), &error))
		return absent;
	if (json_read_first(document, &member))
		result = json_read_text(member.value, arena);
	json_read_free(document);
	return result;
}

bool
poll_page_read(struct poll_page *page, const struct config_poll *poll, struct slice answer,
	       struct arena *arena, struct error *error)
{
	const char *items = poll->items != NULL ? poll->items : "";
	struct slice array = value_at(answer, items);

	if (array.bytes == NULL || !json_split_array(&page->items, array))
		return error_set(error, "its answer has no array at '%s' (items)", items);
	page->next = text_at(answer, poll->next, arena);
	return true;
}

bool
poll_page_item(struct poll_item *item, const struct config_poll *poll, struct slice element,
	       struct arena *arena)
{
	struct slice at = text_at(element, poll->time != NULL ? poll->time : "/timestamp", arena);

	item->event = value_at(element, poll->event);
	item->id = text_at(element, poll->id, arena);
	item->at = 0;
	if (at.bytes != NULL && !timestamp_read(at, &item->at))
		item->at = 0;
	return item->event.bytes != NULL;
}

/* ---- addresses ---- */

/* RFC 3986 2.3: everything but the unreserved. */
static void
append_escaped(struct text *text, struct slice slice)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < slice.length; i++) {
		unsigned char byte = (unsigned char)slice.bytes[i];

		if (byte != '\0' && strchr(plain, byte) != NULL) {
			text_append_byte(text, (char)byte);
			continue;
		}
		text_append_byte(text, '%');
		text_append_byte(text, digits[byte >> 4]);
		text_append_byte(text, digits[byte & 15]);
	}
}

static void
append_time(struct text *text, enum config_since form, int64_t at)
{
	char bytes[64];
	struct text time;

	text_start(&time, bytes, sizeof(bytes));
	switch (form) {
	case CONFIG_SINCE_RFC3339:
		timestamp_write_rfc3339(&time, at);
		break;
	case CONFIG_SINCE_SECONDS:
		text_append_number(&time, at / 1000);
		break;
	case CONFIG_SINCE_MILLISECONDS:
		text_append_number(&time, at);
		break;
	}
	append_escaped(text, text_slice(&time));
}

static bool
begins_with(struct slice text, const char *beginning)
{
	size_t length = strlen(beginning);

	return text.length >= length && memcmp(text.bytes, beginning, length) == 0;
}

/* Scheme, host and port to the letter, and behind them a path or nothing. */
static bool
is_of_same_origin(const char *url, struct slice other)
{
	struct slice origin = http_client_origin(url);

	return other.length >= origin.length &&
	       memcmp(other.bytes, origin.bytes, origin.length) == 0 &&
	       (other.length == origin.length || other.bytes[origin.length] == '/' ||
		other.bytes[origin.length] == '?');
}

/* As the peer wrote it, where it is an address of plain bytes. */
static bool
append_address(struct text *url, const struct config_poll *poll, struct slice address,
	       struct error *error)
{
	if (!is_of_same_origin(poll->url, address))
		return error_set(error,
				 "its next page is at another scheme, host or port; the token "
				 "does not go there");
	for (size_t i = 0; i < address.length; i++)
		if (address.bytes[i] <= ' ' || address.bytes[i] >= 0x7f)
			return error_set(error, "its next page has an address of odd bytes");
	text_append_slice(url, address);
	return true;
}

static void
append_filled(struct text *url, const struct config_poll *poll, int64_t since, int64_t until,
	      struct slice cursor)
{
	struct slice rest = text_of(poll->url);

	while (rest.length > 0) {
		size_t taken = 1;

		if (begins_with(rest, "{since}")) {
			append_time(url, poll->since_form, since);
			taken = strlen("{since}");
		} else if (begins_with(rest, "{until}")) {
			append_time(url, poll->since_form, until);
			taken = strlen("{until}");
		} else if (begins_with(rest, "{cursor}")) {
			append_escaped(url, cursor);
			taken = strlen("{cursor}");
		} else {
			text_append_byte(url, rest.bytes[0]);
		}
		rest.bytes += taken;
		rest.length -= taken;
	}
}

bool
poll_page_url(struct text *url, const struct config_poll *poll, int64_t since, int64_t until,
	      struct slice cursor, struct error *error)
{
	text_cut(url, 0);
	if (begins_with(cursor, "https://") || begins_with(cursor, "http://")) {
		if (!append_address(url, poll, cursor, error))
			return false;
	} else {
		append_filled(url, poll, since, until, cursor);
	}
	text_append_byte(url, '\0');
	return !url->overflowed ||
	       error_set(error, "its next page has an address of more than %zu bytes",
			 url->capacity);
}
