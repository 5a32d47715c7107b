/*
 * The scale that every sender's words are brought to, and what each output
 * calls its steps (the severity table of README.md).
 */
#ifndef SEVERITY_H
#define SEVERITY_H

#include <stdbool.h>

#include "formats/text.h"

enum severity {
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
};

struct severity_row {
	const char *name; /* "info" ... "critical", also Splunk CIM's but for informational */
	int cef;          /* 0..10 */
	int syslog;       /* 6..2; never 0 or 1, which reach every terminal */
	int leef;         /* 1..10 */
	int ocsf;         /* 1..5 */
};

const struct severity_row *severity_row(enum severity severity);

/* The step of that name, as configurations write it: "info" ... "critical". */
MUST_CHECK bool severity_find(const char *name, enum severity *severity);

/*
 * Reads a sender's word or number, in any case and with any punctuation: critical,
 * P1, sev-2, Very High, warning, 7, 7.5 of ten, 75 of a hundred ...  False, and
 * *severity unchanged, where it means nothing to us.
 */
bool severity_parse(struct slice word, enum severity *severity);

/* What a word of one's own stands for; it counts before what severity_parse() knows. */
struct severity_word {
	const char *word;
	enum severity severity;
};

bool severity_parse_with(const struct severity_word *own, size_t count, struct slice word,
			 enum severity *severity);

/* One step up, at most critical: for what failed. */
enum severity severity_raise(enum severity severity);

#endif
