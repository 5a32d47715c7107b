/*
 * RFC 5424: a whole message from an event, a header around another format's
 * line, and the pieces of both.
 *
 * What of the event goes into which element of the structured data is the table
 * in rfc5424.c.
 */
#ifndef RFC5424_H
#define RFC5424_H

#include "formats/format.h"

/* PRI: facility * 8 + severity. */
int rfc5424_priority(const struct event *event, const struct format_options *options);

/*
 * Appends a whole message: header, SD elements meta (where it is numbered) and
 * event, then those that have something to say, then the event's name.
 */
void rfc5424_write(const struct event *event, const struct format_options *options,
		   struct text *text);

/*
 * Appends all that stands in front of a line of another format, the space too, and
 * a BOM where it is wanted always.
 */
void rfc5424_envelope(const struct event *event, const struct format_options *options,
		      struct text *text);

/*
 * The pieces.  Header: from "<" to the MSGID, no space behind it; names are cut
 * to the lengths of section 6, "-" where there is none or no such time.
 */
void rfc5424_header(struct text *text, int priority, int64_t milliseconds,
		    const struct format_options *options, struct slice message_id);

/* "[name@32473"; number 0: a name that IANA registered, as it is. */
void rfc5424_open(struct text *text, const char *name, uint32_t enterprise_number);
void rfc5424_parameter(struct text *text, const char *name, struct slice value);
void rfc5424_close(struct text *text);

/* A space and the text, with a BOM in front as `bom` says; nothing for nothing. */
void rfc5424_message(struct text *text, struct slice message, enum format_bom bom);

#endif
