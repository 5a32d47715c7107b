/*
 * RELP on the wire, as a client: frames and what is in them.  Pure; who sends what
 * and when is send_relp.c.
 *
 *     TXNR SP COMMAND SP DATALEN [SP DATA] LF
 *
 * After RELP's specification (standards.md 4) as librelp speaks it: version 0, and
 * the reply to `close` may have no data.
 */
#ifndef RELP_H
#define RELP_H

#include "formats/text.h"

enum {
	RELP_TXNR_HIGHEST = 999999999,
	RELP_FRAME_OVERHEAD = 28,  /* the most that a frame of ours adds to its data */
	RELP_INCOMING_DATA = 8192, /* bytes: a longer one from a server is no RELP to us */
	RELP_INCOMING = RELP_INCOMING_DATA + 64, /* bytes of a whole frame from a server */
};

/* Appends one frame; `command` has at most 6 letters, `data` at most 999,999,999 bytes. */
void relp_append(uint32_t txnr, const char *command, struct slice data, struct text *text);

/* Appends the `open` of a session, with what we offer: version 0 and `syslog`. */
void relp_append_open(uint32_t txnr, struct text *text);

struct relp_frame {
	uint32_t txnr;        /* 0: a hint, never answered */
	struct slice command; /* 1 to 32 letters; both borrow from the input */
	struct slice data;
};

enum relp_result {
	RELP_FRAME,  /* one is there, whole */
	RELP_MORE,   /* the input ends before the frame does */
	RELP_BROKEN, /* no frame begins like this, for the reason in the error */
};

/*
 * Reads the frame at the start of the input; *used is its length.  Whatever more
 * input may come cannot change an answer that is not RELP_MORE, and RELP_MORE comes
 * for less than RELP_INCOMING bytes only.
 */
MUST_CHECK enum relp_result relp_parse(struct slice input, struct relp_frame *frame, size_t *used,
				       struct error *error);

struct relp_reply {
	unsigned code; /* 200: done */
	struct slice
	    text; /* to the end of its line; may be empty.  What the peer wrote: escape it */
	struct slice rest; /* the lines behind it */
};

/* Reads the data of a `rsp`.  False: there is no status in it. */
MUST_CHECK bool relp_read_reply(struct slice data, struct relp_reply *reply, struct error *error);

/* Can a server that answered `open` with these offers be used?  False: why not. */
MUST_CHECK bool relp_check_offers(struct slice offers, struct error *error);

#endif
