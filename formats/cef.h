/*
 * CEF (ArcSight Common Event Format, edition 27), as it stands in a file: the
 * syslog header is rfc3164's or rfc5424's.
 *
 * What of the event goes into which key is the table in cef.c.  Values are cut
 * to the limits of the dictionary between code points, trimmed, escaped; empty
 * ones are left out, and labels with them.  Of an address with a port each is in
 * its own key.
 */
#ifndef CEF_H
#define CEF_H

#include "formats/format.h"

/* Appends the line as CEF 0, which every collector knows, without an end of line. */
void cef_write(const struct event *event, const struct format_options *options, struct text *text);

/* As CEF 1: keys of version 1.2 (reportedResource...) instead of cs2 and cs3. */
void cef_write_1(const struct event *event, const struct format_options *options,
		 struct text *text);

#endif
