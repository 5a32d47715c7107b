#include "formats/severity.h"

#include <string.h>

static const struct severity_row rows[] = {
    [SEVERITY_INFO] = {"info", 1, 6, 1, 1},           [SEVERITY_LOW] = {"low", 3, 5, 3, 2},
    [SEVERITY_MEDIUM] = {"medium", 5, 4, 5, 3},       [SEVERITY_HIGH] = {"high", 8, 3, 8, 4},
    [SEVERITY_CRITICAL] = {"critical", 10, 2, 10, 5},
};

enum { SEVERITY_ROWS = sizeof(rows) / sizeof(rows[0]), WORD_LENGTH = 32 };

/* Without their punctuation: "Very High", "very_high" and "VERY-HIGH" are one word. */
static const struct severity_word words[] = {
    {"critical", SEVERITY_CRITICAL},
    {"crit", SEVERITY_CRITICAL},
    {"fatal", SEVERITY_CRITICAL},
    {"emergency", SEVERITY_CRITICAL},
    {"emerg", SEVERITY_CRITICAL},
    {"panic", SEVERITY_CRITICAL},
    {"alert", SEVERITY_CRITICAL},
    {"veryhigh", SEVERITY_CRITICAL},
    {"blocker", SEVERITY_CRITICAL},
    {"urgent", SEVERITY_CRITICAL},
    {"high", SEVERITY_HIGH},
    {"error", SEVERITY_HIGH},
    {"err", SEVERITY_HIGH},
    {"severe", SEVERITY_HIGH},
    {"major", SEVERITY_HIGH},
    {"important", SEVERITY_HIGH},
    {"danger", SEVERITY_HIGH},
    {"medium", SEVERITY_MEDIUM},
    {"med", SEVERITY_MEDIUM},
    {"moderate", SEVERITY_MEDIUM},
    {"warning", SEVERITY_MEDIUM},
    {"warn", SEVERITY_MEDIUM},
    {"elevated", SEVERITY_MEDIUM},
    {"average", SEVERITY_MEDIUM},
    {"low", SEVERITY_LOW},
    {"minor", SEVERITY_LOW},
    {"notice", SEVERITY_LOW},
    {"verylow", SEVERITY_INFO},
    {"informational", SEVERITY_INFO},
    {"information", SEVERITY_INFO},
    {"info", SEVERITY_INFO},
    {"debug", SEVERITY_INFO},
    {"trace", SEVERITY_INFO},
    {"normal", SEVERITY_INFO},
    {"trivial", SEVERITY_INFO},
    {"none", SEVERITY_INFO},
    {"ok", SEVERITY_INFO},
};

/* P1, sev-2, "Severity 3", S4, priority0: the lower the worse. */
static const char *const ranked[] = {"p", "s", "sev", "severity", "priority"};
static const enum severity ranks[] = {SEVERITY_CRITICAL, SEVERITY_CRITICAL, SEVERITY_HIGH,
				      SEVERITY_MEDIUM,   SEVERITY_LOW,      SEVERITY_INFO};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct severity_row *
severity_row(enum severity severity)
{
	return &rows[severity];
}

bool
severity_find(const char *name, enum severity *severity)
{
	for (size_t i = 0; i < SEVERITY_ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*severity = (enum severity)i;
			return true;
		}
	}
	return false;
}

/*
 * The bands of CEF and, near enough, of CVSS: 0 to 10, a fraction does not count.
 * What is more can only be of a hundred.
 */
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
	if (!text_parse_unsigned(whole, 100, &number))
		return false;
	if (number > 10)
		number /= 10;
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

static char
lower(char byte)
{
	if (byte < 'A' || byte > 'Z')
		return byte;
	return (char)(byte - 'A' + 'a');
}

/* In lower case and without punctuation, NUL-terminated; false: longer than any word. */
static bool
fold(struct slice word, char plain[WORD_LENGTH])
{
	size_t length = 0;

	for (size_t i = 0; i < word.length; i++) {
		if (word.bytes[i] != '\0' && strchr("-_ :.", word.bytes[i]) != NULL)
			continue;
		if (length == WORD_LENGTH - 1 || word.bytes[i] == '\0')
			return false;
		plain[length++] = lower(word.bytes[i]);
	}
	plain[length] = '\0';
	return true;
}

static bool
parse_rank(const char *plain, enum severity *severity)
{
	size_t length = strlen(plain) - 1;
	unsigned rank = (unsigned char)plain[length] - (unsigned)'0';

	if (rank >= COUNT(ranks))
		return false;
	for (size_t i = 0; i < COUNT(ranked); i++) {
		if (strlen(ranked[i]) == length && memcmp(ranked[i], plain, length) == 0) {
			*severity = ranks[rank];
			return true;
		}
	}
	return false;
}

static bool
find_word(const char *plain, enum severity *severity)
{
	static const char prefix[] = "severity";

	/* SEVERITY_HIGH, as some enumerations are printed */
	if (strncmp(plain, prefix, sizeof(prefix) - 1) == 0)
		plain += sizeof(prefix) - 1;
	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(words[i].word, plain) == 0) {
			*severity = words[i].severity;
			return true;
		}
	}
	return false;
}

bool
severity_parse(struct slice word, enum severity *severity)
{
	char plain[WORD_LENGTH];

	if (word.length == 0)
		return false;
	if (parse_number(word, severity))
		return true;
	if (!fold(word, plain) || plain[0] == '\0')
		return false;
	return parse_rank(plain, severity) || find_word(plain, severity);
}

bool
severity_parse_with(const struct severity_word *own, size_t count, struct slice word,
		    enum severity *severity)
{
	char plain[WORD_LENGTH], known[WORD_LENGTH];
	bool folded = count > 0 && fold(word, plain);

	for (size_t i = 0; folded && i < count; i++) {
		if (fold(text_of(own[i].word), known) && strcmp(plain, known) == 0) {
			*severity = own[i].severity;
			return true;
		}
	}
	return severity_parse(word, severity);
}

enum severity
severity_raise(enum severity severity)
{
	return severity == SEVERITY_CRITICAL ? SEVERITY_CRITICAL : severity + 1;
}
