/*
 * Keeping a value inside its place in a line: what each byte needs is looked up
 * in a table of the format, and whole runs of plain bytes are copied.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include "formats/text.h"

enum escape_class {
	ESCAPE_PLAIN,
	ESCAPE_BACKSLASH, /* a backslash in front of it */
	ESCAPE_HIDDEN,    /* a space for it, if utf8_hidden() says so; CR LF is one space */
	ESCAPE_LINE_END,  /* \n for LF and CR LF, \r for a lone CR */
	ESCAPE_SLASH,     /* / for it: where a pipe cannot be escaped */
	ESCAPE_LOW_LINE,  /* _ for it: where a delimiter cannot be escaped */
};

struct escape_table {
	unsigned char classes[256]; /* enum escape_class of each byte */
};

/* The bytes that utf8_hidden() may find something at: every table begins with these. */
#define ESCAPE_HIDDEN_BYTES                                                                        \
	[0 ... 0x1F] = ESCAPE_HIDDEN, [0x7F] = ESCAPE_HIDDEN, [0xC2] = ESCAPE_HIDDEN,              \
	       [0xE2] = ESCAPE_HIDDEN, [0xEF] = ESCAPE_HIDDEN

void escape_append(struct text *text, struct slice value, const struct escape_table *table);

/* Without spaces and hidden code points at both ends. */
struct slice escape_trim(struct slice value);

/*
 * At most `maximum` bytes; one '_' for each byte that is not of PRINTUSASCII (RFC
 * 5424 section 6: 33 to 126); "-" for nothing.
 */
void escape_append_name(struct text *text, struct slice name, size_t maximum);

#endif
