/*
 * A setting is a row: its name and what reads its value.  Those that are one word of
 * several have their words in the other table.
 */
#include "formats/format_setting.h"

#include <string.h>

#include "formats/memory.h"
#include "formats/ocsf.h"

enum { MINUTES_AN_HOUR = 60, ZONE_HOURS = 14 /* Kiribati */, FACILITIES = 24 };

/* Facilities: the numbers of RFC 5424 6.2.1; names as rsyslog has them, clock and audit as the RFC.
 */
static const struct {
	const char *setting;
	const char *word;
	int value;
} words[] = {
    {"header", "rfc5424", FORMAT_HEADER_RFC5424},
    {"header", "rfc3164", FORMAT_HEADER_RFC3164},
    {"bom", "auto", FORMAT_BOM_AUTO},
    {"bom", "never", FORMAT_BOM_NEVER},
    {"bom", "always", FORMAT_BOM_ALWAYS},
    {"cef_time", "milliseconds", false},
    {"cef_time", "text", true},
    {"cee", "true", true},
    {"cee", "false", false},
    {"facility", "kern", 0},
    {"facility", "user", 1},
    {"facility", "mail", 2},
    {"facility", "daemon", 3},
    {"facility", "auth", 4},
    {"facility", "syslog", 5},
    {"facility", "lpr", 6},
    {"facility", "news", 7},
    {"facility", "uucp", 8},
    {"facility", "cron", 9},
    {"facility", "ftp", 11},
    {"facility", "ntp", 12},
    {"facility", "authpriv", 10},
    {"facility", "audit", 13},
    {"facility", "alert", 14},
    {"facility", "clock", 15},
    {"facility", "local0", 16},
    {"facility", "local1", 17},
    {"facility", "local2", 18},
    {"facility", "local3", 19},
    {"facility", "local4", 20},
    {"facility", "local5", 21},
    {"facility", "local6", 22},
    {"facility", "local7", 23},
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static bool
refuse_word(const char *setting, const char *value, struct error *error)
{
	char bytes[224];
	struct text known;

	text_start(&known, bytes, sizeof(bytes));
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(words[i].setting, setting) != 0)
			continue;
		text_append_string(&known, known.length > 0 ? ", " : "");
		text_append_string(&known, words[i].word);
	}
	return error_set(error, "'%.40s' is unknown; known: %.*s", value, (int)known.length, bytes);
}

static bool
read_word(const char *setting, const char *value, int *number, struct error *error)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(words[i].setting, setting) != 0 || strcmp(words[i].word, value) != 0)
			continue;
		*number = words[i].value;
		return true;
	}
	return refuse_word(setting, value, error);
}

static bool
write_header(struct format_options *options, const char *value, struct error *error)
{
	int word;

	if (!read_word("header", value, &word, error))
		return false;
	options->header = (enum format_header)word;
	return true;
}

static bool
write_bom(struct format_options *options, const char *value, struct error *error)
{
	int word;

	if (!read_word("bom", value, &word, error))
		return false;
	options->bom = (enum format_bom)word;
	return true;
}

static bool
write_cef_time(struct format_options *options, const char *value, struct error *error)
{
	int word;

	if (!read_word("cef_time", value, &word, error))
		return false;
	options->cef_time_text = word != 0;
	return true;
}

static bool
write_cee(struct format_options *options, const char *value, struct error *error)
{
	int word;

	if (!read_word("cee", value, &word, error))
		return false;
	options->cee = word != 0;
	return true;
}

/* By name, or by the number that stands for it. */
static bool
write_facility(struct format_options *options, const char *value, struct error *error)
{
	uint64_t number;

	if (!text_parse_unsigned(text_of(value), FACILITIES - 1, &number))
		return read_word("facility", value, &options->facility, error);
	options->facility = (int)number;
	return true;
}

static bool
write_enterprise_number(struct format_options *options, const char *value, struct error *error)
{
	uint64_t number;

	if (!text_parse_unsigned(text_of(value), UINT32_MAX, &number) || number == 0)
		return error_set(error, "'%.40s' must be a whole number from 1 to %lu", value,
				 (unsigned long)UINT32_MAX);
	options->enterprise_number = (uint32_t)number;
	return true;
}

/* "+02:00" -> 120 */
static bool
read_offset(struct slice text, int *minutes)
{
	uint64_t hour, minute;

	if (text.length != 6 || (text.bytes[0] != '+' && text.bytes[0] != '-') ||
	    text.bytes[3] != ':' ||
	    !text_parse_unsigned((struct slice){text.bytes + 1, 2}, ZONE_HOURS, &hour) ||
	    !text_parse_unsigned((struct slice){text.bytes + 4, 2}, MINUTES_AN_HOUR - 1, &minute))
		return false;
	*minutes = (int)(hour * MINUTES_AN_HOUR + minute);
	if (text.bytes[0] == '-')
		*minutes = -*minutes;
	return true;
}

static bool
write_time_zone(struct format_options *options, const char *value, struct error *error)
{
	options->zone = 0;
	if (strcmp(value, "UTC") == 0 || read_offset(text_of(value), &options->zone))
		return true;
	return error_set(error, "'%.40s' must be UTC or an offset as in +02:00", value);
}

/* What stands in names, numbers or what is put for a delimiter in a value divides nothing. */
static bool
write_leef_delimiter(struct format_options *options, const char *value, struct error *error)
{
	static const char good[] = "^~!#$%&*;,<>?`{}";

	if (strcmp(value, "tab") == 0) {
		options->leef_delimiter = '\t';
		return true;
	}
	if (value[0] == '\0' || value[1] != '\0' || strchr(good, value[0]) == NULL)
		return error_set(error, "'%.40s' must be tab or one of %s", value, good);
	options->leef_delimiter = value[0];
	return true;
}

static bool
write_ocsf_version(struct format_options *options, const char *value, struct error *error)
{
	if (ocsf_parse_version(text_of(value), &options->ocsf_minor))
		return true;
	return error_set(error, "'%.40s' is unknown; known: 1.1, 1.3, 1.8, 1.9", value);
}

static const struct {
	const char *name;
	bool (*write)(struct format_options *options, const char *value, struct error *error);
} settings[] = {
    {"header", write_header},
    {"facility", write_facility},
    {"enterprise_number", write_enterprise_number},
    {"bom", write_bom},
    {"time_zone", write_time_zone},
    {"cef_time", write_cef_time},
    {"leef_delimiter", write_leef_delimiter},
    {"ocsf_version", write_ocsf_version},
    {"cee", write_cee},
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

const char *
format_setting_at(size_t i)
{
	return i < SETTINGS ? settings[i].name : NULL;
}

bool
format_setting_write(struct format_options *options, const char *name, const char *value,
		     struct error *error)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].write(options, value, error);
	memory_panic("there is no setting %s of a format", name);
}
