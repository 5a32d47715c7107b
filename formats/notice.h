/*
 * An event in words for people: a subject of one line and a text of some.
 *
 *   Invoice overdue: in_2026_10, 1249.50 USD (Acme)
 *
 * What hides itself or ends a line in a value is a blank.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include "formats/event.h"

/* Bytes of one value; what is longer ends in "…". */
enum { NOTICE_VALUE = 1000 };

/* Appends one line without its end: what, of what, of whom; "[high] " first from there on. */
void notice_write_subject(const struct event *event, struct text *text);

/* Appends lines, each with its LF: what the sender said, then a row for each thing known. */
void notice_write_text(const struct event *event, struct text *text);

#endif
