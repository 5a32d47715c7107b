/*
 * Strict look at raw bytes before any parser sees them: RFC 8259 to the letter
 * and a few limits, in one pass and without memory.  json-c, strict as it can
 * be made, still takes NaN, raw newlines, "-01" and overlong UTF-8, cuts keys at
 * \u0000, and makes 273 MB of a 1 MiB body of empty objects.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include "formats/text.h"

enum {
	JSON_SCAN_DEPTH = 32,     /* objects and arrays within each other */
	JSON_SCAN_VALUES = 10000, /* of all kinds, in all */
	JSON_SCAN_DIGITS = 18,    /* of an integer that surely fits 64 bits */
};

struct json_scan {
	size_t values;  /* all of them, the outermost too */
	size_t members; /* names in all objects together, equal ones counted each */
	char outermost; /* the first byte of the value: '{' for an object */
	bool cut_off;   /* it is wrong only in that it ends too early */
	bool wide;      /* it holds an integer of more digits than JSON_SCAN_DIGITS */
};

/*
 * True for one JSON value and nothing but white space around it: valid UTF-8
 * without BOM, no raw control character in a string, no \u0000 in a name.
 * Equal names in one object are not seen here: see json_read().  The error says
 * what is wrong and at which byte, and holds nothing of the text.
 */
MUST_CHECK bool json_scan(struct slice text, struct json_scan *scan, struct error *error);

#endif
