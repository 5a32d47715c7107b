#include "formats/severity.h"

#include <string.h>
#include <strings.h>

static const struct severity_row rows[] = {
    [SEVERITY_INFO] = {"info", 1, 6, 1, 1},           [SEVERITY_LOW] = {"low", 3, 5, 3, 2},
    [SEVERITY_MEDIUM] = {"medium", 5, 4, 5, 3},       [SEVERITY_HIGH] = {"high", 8, 3, 8, 4},
    [SEVERITY_CRITICAL] = {"critical", 10, 2, 10, 5},
};

/* Without their punctuation: "P1", "p-1" and "P 1" are one word. */
static const struct {
	const char *word;
	enum severity severity;
} words[] = {
    {"critical", SEVERITY_CRITICAL},  {"crit", SEVERITY_CRITICAL},    {"fatal", SEVERITY_CRITICAL},
    {"emergency", SEVERITY_CRITICAL}, {"emerg", SEVERITY_CRITICAL},   {"alert", SEVERITY_CRITICAL},
    {"veryhigh", SEVERITY_CRITICAL},  {"p0", SEVERITY_CRITICAL},      {"p1", SEVERITY_CRITICAL},
    {"sev0", SEVERITY_CRITICAL},      {"sev1", SEVERITY_CRITICAL},    {"high", SEVERITY_HIGH},
    {"error", SEVERITY_HIGH},         {"err", SEVERITY_HIGH},         {"severe", SEVERITY_HIGH},
    {"major", SEVERITY_HIGH},         {"p2", SEVERITY_HIGH},          {"sev2", SEVERITY_HIGH},
    {"medium", SEVERITY_MEDIUM},      {"med", SEVERITY_MEDIUM},       {"moderate", SEVERITY_MEDIUM},
    {"warning", SEVERITY_MEDIUM},     {"warn", SEVERITY_MEDIUM},      {"p3", SEVERITY_MEDIUM},
    {"sev3", SEVERITY_MEDIUM},        {"low", SEVERITY_LOW},          {"minor", SEVERITY_LOW},
    {"notice", SEVERITY_LOW},         {"p4", SEVERITY_LOW},           {"sev4", SEVERITY_LOW},
    {"informational", SEVERITY_INFO}, {"information", SEVERITY_INFO}, {"info", SEVERITY_INFO},
    {"debug", SEVERITY_INFO},         {"none", SEVERITY_INFO},        {"p5", SEVERITY_INFO},
    {"sev5", SEVERITY_INFO},
};

const struct severity_row *
severity_row(enum severity severity)
{
	return &rows[severity];
}

/* The bands of CEF and, near enough, of CVSS: 0 to 10, a fraction does not count. */
static bool
parse_number(struct slice word, enum severity *severity)
{
	const char *point = memchr(word.bytes, '.', word.length);
	struct slice whole = word;
	uint64_t number;

	if (point != NULL) {
		struct slice fraction = {point + 1, word.length - 1};

		whole.length = (size_t)(point - word.bytes);
		fraction.length -= whole.length;
		if (!text_parse_unsigned(fraction, UINT64_MAX, &number))
			return false;
	}
	if (!text_parse_unsigned(whole, 10, &number))
		return false;
	if (number >= 9)
		*severity = SEVERITY_CRITICAL;
	else if (number >= 7)
		*severity = SEVERITY_HIGH;
	else if (number >= 4)
		*severity = SEVERITY_MEDIUM;
	else if (number >= 2)
		*severity = SEVERITY_LOW;
	else
		*severity = SEVERITY_INFO;
	return true;
}

bool
severity_parse(struct slice word, enum severity *severity)
{
	char plain[16];
	size_t length = 0;

	if (word.length == 0)
		return false;
	if (parse_number(word, severity))
		return true;
	for (size_t i = 0; i < word.length; i++) {
		if (strchr("-_ ", word.bytes[i]) != NULL && word.bytes[i] != '\0')
			continue;
		if (length == sizeof(plain))
			return false;
		plain[length++] = word.bytes[i];
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) == length &&
		    strncasecmp(words[i].word, plain, length) == 0) {
			*severity = words[i].severity;
			return true;
		}
	}
	return false;
}

enum severity
severity_raise(enum severity severity)
{
	return severity == SEVERITY_CRITICAL ? SEVERITY_CRITICAL : severity + 1;
}
