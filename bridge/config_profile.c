#include "bridge/config_profile.h"

#include <string.h>

#include "formats/format_setting.h"
#include "formats/memory.h"

/*
 * Why, row by row:
 * rsyslog    keeps a BOM in the text and splits what is longer than its 8 KiB; mmjsonparse
 *            wants the cookie.
 * syslog-ng  takes 64 KiB, knows octet counting and strips a BOM.
 * sc4s       matches CEF:0 anywhere and reads no rt in milliseconds; its port 514 reads lines.
 * splunk     a TCP or UDP input: reads lines, cuts at 10,000 bytes, finds the host in RFC 3164.
 * sentinel   finds CEF: directly behind the host of an RFC 3164 header; a facility that no
 *            other rule collects keeps rows from coming twice.
 * qradar     finds its log source by the host of an RFC 3164 header; TCP payloads are cut
 *            at 4096 bytes; LEEF straight to it, so TABs survive.
 * arcsight   the CEF document knows no header but RFC 3164's.
 * elastic    Filebeat and Elastic Agent read lines; a BOM would hide the brace.
 */
/* clang-format off */
static const struct config_profile rows[] = {
	/* name, format, header, framing, largest, facility, bom, cef_time, leef_delimiter, cee */
	{NULL, "cef", "rfc5424", "octet-counting", "8KiB", "13", "auto", "milliseconds", "^", "false"},
	{"rsyslog", "rfc5424", "rfc5424", "octet-counting", "8KiB", "13", "never", "milliseconds", "^", "true"},
	{"syslog-ng", "rfc5424", "rfc5424", "octet-counting", "64KiB", "13", "auto", "milliseconds", "^", "false"},
	{"sc4s", "cef", "rfc5424", "lf", "64KiB", "13", "never", "text", "^", "false"},
	{"splunk", "cef", "rfc3164", "lf", "10000", "13", "never", "text", "^", "false"},
	{"sentinel", "cef", "rfc3164", "lf", "8KiB", "20", "never", "milliseconds", "^", "false"},
	{"qradar", "leef", "rfc3164", "lf", "4096", "13", "never", "milliseconds", "^", "false"},
	{"arcsight", "cef", "rfc3164", "lf", "8KiB", "13", "never", "milliseconds", "^", "false"},
	{"elastic", "ecs", "rfc5424", "lf", "64KiB", "13", "never", "milliseconds", "^", "false"},
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct config_profile *
config_profile_find(const char *name)
{
	if (name == NULL)
		return &rows[0];
	for (size_t i = 1; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

const char *
config_profile_at(size_t i)
{
	return i + 1 < ROWS ? rows[i + 1].name : NULL;
}

void
config_profile_options(const struct config_profile *profile, struct format_options *options)
{
	const struct {
		const char *name;
		const char *value;
	} settings[] = {
	    {"header", profile->header}, {"facility", profile->facility},
	    {"bom", profile->bom},       {"cef_time", profile->cef_time},
	    {"cee", profile->cee},       {"leef_delimiter", profile->leef_delimiter},
	};
	struct error error;

	format_default_options(options);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (!format_setting_write(options, settings[i].name, settings[i].value, &error))
			memory_panic("profile %s: %s", profile->name, error.text);
}
