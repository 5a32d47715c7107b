/*
 * The settings of a format as people write them: for the configuration and for
 * `render`, which know the same names.
 */
#ifndef FORMAT_SETTING_H
#define FORMAT_SETTING_H

#include "formats/format.h"

/*
 *   header             rfc5424, rfc3164: in front of what is no syslog message itself
 *   facility           0..23, or its name
 *   enterprise_number  1..4294967295
 *   bom                auto, never, always
 *   time_zone          UTC, +02:00: of the times of RFC 3164
 *   cef_time           milliseconds, text
 *   leef_delimiter     tab, or one character that needs none of its own
 *   ocsf_version       1.1, 1.3, 1.8, 1.9
 *   cee                true, false
 *
 * False where there is no such value; the error says which there are.  The name has to
 * be one of these.
 */
MUST_CHECK bool format_setting_write(struct format_options *options, const char *name,
				     const char *value, struct error *error);

/* The i-th of the names, or NULL behind the last. */
const char *format_setting_at(size_t i);

#endif
