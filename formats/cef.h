/*
 * CEF 0 (ArcSight Common Event Format, edition 27), as it stands in a file: the
 * syslog header is rfc3164's or rfc5424's.
 *
 * What of the event goes into which key is the table in cef.c.  Values are cut
 * to the limits of the dictionary between code points, trimmed, escaped; empty
 * ones are left out, and labels with them.
 */
#ifndef CEF_H
#define CEF_H

#include "formats/format.h"

/*
 * Appends the line, without an end of line.  With options->maximum_length a pair
 * of the extension that does not fit is left out whole; a header that does not
 * fit sets text->overflowed.
 */
void cef_write(const struct event *event, const struct format_options *options, struct text *text);

#endif
