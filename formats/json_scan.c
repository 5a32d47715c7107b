/*
 * No recursion: what is open is a stack of bits, one for each level.  Each
 * function leaves `at` behind what it has read, or says what is wrong there.
 */
#include "formats/json_scan.h"

#include <string.h>

#include "formats/utf8.h"

struct scanner {
	const char *start, *at, *end;
	uint32_t objects; /* bit 0: the innermost open one is an object */
	int depth;
	struct json_scan *scan;
	struct error *error;
};

/* All that a string may hold without a closer look: no quote, backslash, control or UTF-8. */
static const bool plain[256] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... 0x7F] = true};

enum { WORD = sizeof(uint64_t) };

/*
 * The same of eight bytes at once, since most of a body is such: in none of them is the
 * top bit set, and none of three subtractions has to borrow into it.
 */
static bool
are_plain(const char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t bytes, quote, backslash;

	memcpy(&bytes, at, WORD);
	quote = bytes ^ ones * '"';
	backslash = bytes ^ ones * '\\';
	return ((bytes | (bytes - ones * ' ') | (quote - ones) | (backslash - ones)) & tops) == 0;
}

static bool
fail(const struct scanner *scanner, const char *what)
{
	scanner->scan->cut_off = scanner->at == scanner->end;
	return error_set(scanner->error, "not JSON: %s at byte %zu", what,
			 (size_t)(scanner->at - scanner->start) + 1);
}

static char
next(const struct scanner *scanner)
{
	if (scanner->at == scanner->end)
		return '\0';
	return *scanner->at;
}

static void
skip_space(struct scanner *scanner)
{
	while (scanner->at < scanner->end && (*scanner->at == ' ' || *scanner->at == '\t' ||
					      *scanner->at == '\n' || *scanner->at == '\r'))
		scanner->at++;
}

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool
scan_digits(struct scanner *scanner)
{
	if (!is_digit(next(scanner)))
		return fail(scanner, "a digit is missing");
	while (is_digit(next(scanner)))
		scanner->at++;
	return true;
}

/* RFC 8259 section 6 */
static bool
scan_number(struct scanner *scanner)
{
	const char *digits;

	if (next(scanner) == '-')
		scanner->at++;
	digits = scanner->at;
	if (next(scanner) == '0')
		scanner->at++;
	else if (!scan_digits(scanner))
		return false;
	if (next(scanner) == '.') {
		scanner->at++;
		if (!scan_digits(scanner))
			return false;
	}
	if (next(scanner) == 'e' || next(scanner) == 'E') {
		scanner->at++;
		if (next(scanner) == '+' || next(scanner) == '-')
			scanner->at++;
		return scan_digits(scanner);
	}
	if (scanner->at - digits > JSON_SCAN_DIGITS)
		scanner->scan->wide = true; /* a fraction may be meant: that does no harm */
	return true;
}

static bool
scan_escape(struct scanner *scanner, bool is_name)
{
	scanner->at++;
	if (next(scanner) != 'u') {
		if (scanner->at == scanner->end || strchr("\"\\/bfnrt", *scanner->at) == NULL ||
		    *scanner->at == '\0')
			return fail(scanner, "an unknown escape");
		scanner->at++;
		return true;
	}
	scanner->at++;
	if (scanner->end - scanner->at < 4)
		return fail(scanner, "an escape that is cut off");
	for (int i = 0; i < 4; i++)
		if (text_hex_digit(scanner->at[i]) < 0)
			return fail(scanner, "an escape without four hexadecimal digits");
	if (is_name && memcmp(scanner->at, "0000", 4) == 0)
		return fail(scanner, "a NUL in a name");
	scanner->at += 4;
	return true;
}

/* What stands at the end of a run of plain bytes.  *done: it was the closing quote. */
static bool
scan_special(struct scanner *scanner, bool is_name, bool *done)
{
	size_t length;

	if (scanner->at == scanner->end)
		return fail(scanner, "a string that does not end");
	if (*scanner->at == '"') {
		scanner->at++;
		*done = true;
		return true;
	}
	if (*scanner->at == '\\')
		return scan_escape(scanner, is_name);
	if ((unsigned char)*scanner->at < 0x20)
		return fail(scanner, "a control character in a string");
	length = utf8_sequence(scanner->at, (size_t)(scanner->end - scanner->at));
	if (length == 0)
		return fail(scanner, "invalid UTF-8");
	scanner->at += length;
	return true;
}

/* RFC 8259 section 7 */
static bool
scan_string(struct scanner *scanner, bool is_name)
{
	bool done = false;

	if (next(scanner) != '"')
		return fail(scanner, "a string is missing");
	scanner->at++;
	while (!done) {
		/* of its own, so that it stays in a register */
		const char *at = scanner->at, *end = scanner->end;

		while (end - at >= WORD && are_plain(at))
			at += WORD;
		while (at < end && plain[(unsigned char)*at])
			at++;
		scanner->at = at;
		if (!scan_special(scanner, is_name, &done))
			return false;
	}
	return true;
}

static bool
scan_word(struct scanner *scanner, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
		return fail(scanner, "an unknown word");
	scanner->at += length;
	return true;
}

static bool
scan_name(struct scanner *scanner)
{
	skip_space(scanner);
	if (!scan_string(scanner, true))
		return false;
	skip_space(scanner);
	if (next(scanner) != ':')
		return fail(scanner, "a colon is missing");
	scanner->at++;
	scanner->scan->members++;
	return true;
}

/* Steps into an object or array.  *due: a value has to follow, it is not empty. */
static bool
scan_open(struct scanner *scanner, bool is_object, bool *due)
{
	if (scanner->depth == JSON_SCAN_DEPTH)
		return fail(scanner, "too deep: more than 32 levels");
	scanner->depth++;
	scanner->objects = scanner->objects << 1 | (is_object ? 1 : 0);
	scanner->at++;
	skip_space(scanner);
	*due = next(scanner) != (is_object ? '}' : ']');
	return !*due || !is_object || scan_name(scanner);
}

/* Begins a value; a scalar is read whole. */
static bool
scan_value(struct scanner *scanner, bool *due)
{
	*due = false;
	skip_space(scanner);
	if (++scanner->scan->values > JSON_SCAN_VALUES)
		return fail(scanner, "too many values: more than 10000");
	switch (next(scanner)) {
	case '{':
		return scan_open(scanner, true, due);
	case '[':
		return scan_open(scanner, false, due);
	case '"':
		return scan_string(scanner, false);
	case 't':
		return scan_word(scanner, "true");
	case 'f':
		return scan_word(scanner, "false");
	case 'n':
		return scan_word(scanner, "null");
	default:
		if (next(scanner) == '-' || is_digit(next(scanner)))
			return scan_number(scanner);
		return fail(scanner, "a value is missing");
	}
}

/* Behind a value: closes what ends here, up to the comma before the next value or the end. */
static bool
scan_behind(struct scanner *scanner, bool *due)
{
	*due = false;
	while (scanner->depth > 0) {
		bool is_object = (scanner->objects & 1) != 0;

		skip_space(scanner);
		if (next(scanner) == ',') {
			scanner->at++;
			*due = true;
			return !is_object || scan_name(scanner);
		}
		if (next(scanner) != (is_object ? '}' : ']'))
			return fail(scanner, "a comma or the end of an object or array is missing");
		scanner->at++;
		scanner->depth--;
		scanner->objects >>= 1;
	}
	return true;
}

bool
json_scan(struct slice text, struct json_scan *scan, struct error *error)
{
	struct scanner scanner = {.scan = scan, .error = error};
	bool due = true;

	*scan = (struct json_scan){.values = 0};
	if (text.length == 0)
		return error_set(error, "not JSON: it is empty");
	scanner.start = scanner.at = text.bytes;
	scanner.end = text.bytes + text.length;
	skip_space(&scanner);
	scan->outermost = next(&scanner);
	while (due) {
		if (!scan_value(&scanner, &due))
			return false;
		if (!due && !scan_behind(&scanner, &due))
			return false;
	}
	skip_space(&scanner);
	if (scanner.at != scanner.end)
		return fail(&scanner, "something behind the value");
	return true;
}
