/*
 * Points in time: milliseconds since 1970 UTC, read from what senders write and
 * written as syslog wants them.  Years 1970 to 9999; no leap seconds, no zone
 * tables, nothing of libc's that would look at TZ.
 */
#ifndef TIMESTAMP_H
#define TIMESTAMP_H

#include "formats/text.h"

/*
 * RFC 3339 to the letter, with RFC 5424's narrowing: "2026-10-01T12:00:00Z",
 * upper-case T and Z, at most six digits of fraction, "+hh:mm".  Second 60 is
 * the last millisecond of second 59.  False leaves *milliseconds as it was.
 */
MUST_CHECK bool timestamp_read_strict(struct slice text, int64_t *milliseconds);

/*
 * What senders write: as above, but any number of digits, t, z, a space for the
 * T, "+hhmm", "+hh" and no zone at all (UTC); or a number, with a fraction or
 * without: seconds since 1970 below 10^11, milliseconds from there to 10^14.
 */
MUST_CHECK bool timestamp_read(struct slice text, int64_t *milliseconds);

/* "2026-10-01T12:00:00.000Z"; "-" (RFC 5424's nil) outside of the years above. */
void timestamp_write_rfc3339(struct text *text, int64_t milliseconds);

/* "Oct  1 12:00:00", UTC; RFC 3164 has neither year nor zone. */
void timestamp_write_rfc3164(struct text *text, int64_t milliseconds);

/* "Thu, 01 Oct 2026 12:00:00 +0000" (RFC 5322 3.3); outside of those years 1970. */
void timestamp_write_rfc5322(struct text *text, int64_t milliseconds);
/* "Oct 01 2026 12:00:00 UTC" (CEF, edition 27); nothing outside of the years above. */
void timestamp_write_words(struct text *text, int64_t milliseconds);

#endif
