/*
 * Texts with fields of the event in them: "usage of {organization.name}: {usage.percent} %".
 *
 * "{name}" stands for a field (event_field_name()) or for one of: source, id, family,
 * name, severity, action, outcome, time, received, sequence.  A brace that begins no
 * such name is a brace, so JSON can be written as it is.  An absent field is nothing.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "formats/event.h"

/* What is done to a value, so that it cannot leave its place. */
enum template_escape {
	TEMPLATE_LINE, /* what is hidden or ends a line is a space */
	TEMPLATE_JSON, /* fit for the inside of a JSON string */
	TEMPLATE_FORM, /* percent-encoded: all but A-Z a-z 0-9 - . _ ~ (RFC 3986 2.3) */
};

/*
 * False where a name in braces, "{lower.case_words}", is unknown.  `safe` where only
 * such may stand there as no sender can choose: source, family, severity.
 */
MUST_CHECK bool template_check(struct slice template, bool safe, struct error *error);

/* Appends it with the event's values; one that is unknown stands as it is. */
void template_write(struct slice template, const struct event *event, enum template_escape escape,
		    struct text *text);

#endif
