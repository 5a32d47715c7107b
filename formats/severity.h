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

/*
 * Reads a sender's word or number, in any case: critical, P1, sev2, warning,
 * 7 ... False, and *severity unchanged, where it means nothing to us.
 */
bool severity_parse(struct slice word, enum severity *severity);

/* One step up, at most critical: for what failed. */
enum severity severity_raise(enum severity severity);

#endif
