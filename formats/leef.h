/*
 * LEEF 1.0 and 2.0 (IBM QRadar), as it stands in a file: the syslog header is
 * rfc3164's or rfc5424's.
 *
 * LEEF has no escapes, so what would end a value is replaced in it: the delimiter
 * by "_" (a TAB by a space), a pipe by "/", for some readers take the attributes
 * from the last pipe on; ends of line and hidden characters by a space.  What of
 * the event goes into which key is the table in leef.c.
 */
#ifndef LEEF_H
#define LEEF_H

#include "formats/format.h"

/* Appends the line as LEEF 1.0, whose delimiter is TAB, without an end of line. */
void leef_write(const struct event *event, const struct format_options *options, struct text *text);

/* As LEEF 2.0, with options->leef_delimiter; TAB is announced as x09. */
void leef_write_2(const struct event *event, const struct format_options *options,
		  struct text *text);

/* The pieces: the header up to its last pipe, then attributes. */
enum leef_version { LEEF_1, LEEF_2 };

struct leef_line {
	struct text *text;
	char delimiter;
	bool first; /* no attribute yet: no delimiter in front */
};

void leef_start(struct leef_line *line, struct text *text, enum leef_version version,
		const struct format_options *options, struct slice event_id);

/* Nothing for a value that is absent or blank. */
void leef_append(struct leef_line *line, const char *key, struct slice value);

#endif
