/*
 * What goes first when a message is too long: one order for all formats.
 */
#ifndef SHORTEN_H
#define SHORTEN_H

#include "formats/event.h"

enum { SHORTEN_STEPS = 8 };

/*
 * A copy of the event that is shorter, by `step` of 1 to SHORTEN_STEPS, each with
 * what the ones before it took: texts are cut at 1024 bytes; parts beside the point
 * go (user agent, roles, project ...); cut at 256; names go that stand beside ids;
 * cut at 64; message, title and reason go; cut at 40; everything goes but the type
 * and the delivery id.  Cuts are between code points.  An id, a number or an address
 * is never cut, for half of one is another one: it goes as a whole.  What the
 * catalogue says stays.
 *
 * shorter->truncated is set.  It borrows what `event` borrows.
 */
void shorten_event(const struct event *event, int step, struct event *shorter);

#endif
