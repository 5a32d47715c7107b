/*
 * What stands around one message on the wire, so that the collector finds its end.
 */
#ifndef FRAME_H
#define FRAME_H

#include "formats/text.h"

enum frame {
	FRAME_OCTET_COUNTING, /* RFC 6587 3.4.1, RFC 5425 4.3: "LENGTH SP MESSAGE" */
	FRAME_LF,             /* RFC 6587 3.4.2: "MESSAGE LF" */
	FRAME_NONE,           /* the message alone: a datagram (RFC 5426 3.1) has one end */
};

/* The most bytes that a frame adds to its message. */
enum { FRAME_OVERHEAD = 21 };

/*
 * Appends the framed message to `text`.  With FRAME_LF every LF, CR and NUL inside
 * becomes a space, for nothing can escape them.  An empty message has no frame
 * (a count is never 0): nothing is appended.
 */
void frame_append(enum frame frame, struct slice message, struct text *text);

#endif
