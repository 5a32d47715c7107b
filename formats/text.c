#include "formats/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void
text_start(struct text *text, char *bytes, size_t capacity)
{
	text->bytes = bytes;
	text->capacity = capacity;
	text->length = 0;
	text->overflowed = false;
}

void
text_append(struct text *text, const char *bytes, size_t length)
{
	/* Subtract, never add: length may be anything. */
	if (length > text->capacity - text->length) {
		text->overflowed = true;
		return;
	}
	if (length > 0)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

void
text_append_slice(struct text *text, struct slice slice)
{
	text_append(text, slice.bytes, slice.length);
}

void
text_append_string(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void
text_append_byte(struct text *text, char byte)
{
	if (text->length == text->capacity) {
		text->overflowed = true;
		return;
	}
	text->bytes[text->length++] = byte;
}

void
text_append_padded(struct text *text, uint64_t number, int digits)
{
	char reversed[20];
	int count = 0;

	do {
		reversed[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	for (; digits > count; digits--)
		text_append_byte(text, '0');
	while (count > 0)
		text_append_byte(text, reversed[--count]);
}

void
text_append_unsigned(struct text *text, uint64_t number)
{
	text_append_padded(text, number, 1);
}

void
text_append_number(struct text *text, int64_t number)
{
	if (number < 0) {
		text_append_byte(text, '-');
		/* the smallest int64_t has no positive twin */
		text_append_unsigned(text, (uint64_t)0 - (uint64_t)number);
		return;
	}
	text_append_unsigned(text, (uint64_t)number);
}

void
text_append_format(struct text *text, const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof(line)) {
		text->overflowed = true;
		return;
	}
	text_append(text, line, (size_t)length);
}

void
text_cut(struct text *text, size_t length)
{
	text->length = length;
	text->overflowed = false;
}

struct slice
text_slice(const struct text *text)
{
	return (struct slice){text->bytes, text->length};
}

bool
text_slices_equal(struct slice left, struct slice right)
{
	if (left.bytes == NULL || right.bytes == NULL)
		return left.bytes == right.bytes;
	return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

/* Most words differ in their length, or the letter that they begin with. */
bool
text_slices_equal_any_case(struct slice left, struct slice right)
{
	if (left.bytes == NULL || right.bytes == NULL)
		return left.bytes == right.bytes;
	return left.length == right.length &&
	       (left.length == 0 || ((left.bytes[0] | 0x20) == (right.bytes[0] | 0x20) &&
				     strncasecmp(left.bytes, right.bytes, left.length) == 0));
}

bool
text_slice_is(struct slice slice, const char *string)
{
	return text_slices_equal(slice, text_of(string));
}

struct slice
text_of(const char *string)
{
	return (struct slice){string, string != NULL ? strlen(string) : 0};
}

int
text_hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

bool
text_parse_unsigned(struct slice digits, uint64_t maximum, uint64_t *number)
{
	uint64_t value = 0;

	if (digits.length == 0)
		return false;
	for (size_t i = 0; i < digits.length; i++) {
		uint64_t digit;

		if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
			return false;
		digit = (uint64_t)(digits.bytes[i] - '0');
		/* value * 10 + digit <= maximum, without computing what may wrap */
		if (digit > maximum || value > (maximum - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}
