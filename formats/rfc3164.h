/*
 * The header of BSD syslog (RFC 3164), which collectors of CEF expect.
 */
#ifndef RFC3164_H
#define RFC3164_H

#include "formats/text.h"

/*
 * Appends "<109>Oct  1 12:00:00 gw1 ": the time is UTC, the host name loses its
 * domain (an address stays whole), absent is "-".
 */
void rfc3164_header(struct text *text, int priority, int64_t milliseconds, struct slice hostname);

#endif
