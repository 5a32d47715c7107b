/*
 * BSD syslog (RFC 3164): the header, which collectors of CEF and LEEF expect, and
 * a message that people can read.
 */
#ifndef RFC3164_H
#define RFC3164_H

#include "formats/format.h"

/*
 * Appends "<109>Oct  1 12:00:00 gw1 ": the time is that of options->zone, for the
 * header names neither zone nor year; the host name loses its domain (an address
 * stays whole), absent is "-".
 */
void rfc3164_header(struct text *text, const struct event *event,
		    const struct format_options *options);

/* Appends "siembridge[4242]: ", without the number where none is known. */
void rfc3164_tag(struct text *text, const struct format_options *options);

/*
 * Appends header, "siembridge[4242]: ", the event's name and what is known of it as
 * name=value, in quotes where it is not of A-Za-z0-9 and -._@:/+% alone; within
 * them " and \ have a backslash in front.
 */
void rfc3164_write(const struct event *event, const struct format_options *options,
		   struct text *text);

#endif
