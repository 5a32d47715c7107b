/*
 * A message as it goes over SMTP: RFC 5322 with the headers of RFC 2045-2047 and
 * 3834, a body of one part, text in UTF-8 as quoted-printable.
 *
 * Whatever stands in a value, it cannot leave its place: what ends a line or hides
 * itself is a space in a header, and no line is longer than 76 characters.  Lines
 * end in CRLF; dots at their start are the transport's.
 */
#ifndef MAIL_H
#define MAIL_H

#include "formats/text.h"

enum {
	MAIL_ADDRESS = 254, /* bytes of an address (RFC 5321 4.5.3.1.3) */
	MAIL_SUBJECT = 250, /* bytes of a subject; what is longer ends in "…" */
	MAIL_ID = 200,      /* bytes of an id; likewise, without a mark */
};

/* All borrowed. */
struct mail {
	struct slice from;      /* address */
	struct slice from_name; /* UTF-8; empty: none */
	char *const *to;        /* addresses without a name */
	size_t to_count;
	struct slice subject; /* UTF-8 */
	struct slice text;    /* UTF-8, lines end in LF */
	struct slice id;      /* of the Message-ID, left of the @; made of what is allowed there */
	struct slice thread;  /* likewise, of all that belong together; absent: none */
	int64_t date;         /* milliseconds since 1970 */
};

/*
 * "Name <local@domain>" or "local@domain" -> its parts, borrowed; *name is empty
 * where there is none.  Addresses are ASCII, without quotes and comments.  False: the
 * text says what is wrong with it.
 */
MUST_CHECK bool mail_split_address(struct slice text, struct slice *name, struct slice *address,
				   struct error *error);

/* Appends the message. */
void mail_write(const struct mail *mail, struct text *text);

#endif
