/*
 * IP addresses as senders write them: alone, or with a port behind.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "formats/text.h"

enum address_kind { ADDRESS_NONE, ADDRESS_IPV4, ADDRESS_IPV6 };

struct address {
	enum address_kind kind;
	struct slice ip;   /* the address alone, borrowed; all of the text for ADDRESS_NONE */
	struct slice port; /* its digits, 1 to 65535, borrowed; absent: none is said */
};

/*
 * "203.0.113.7", "203.0.113.7:443", "2001:db8::7", "[2001:db8::7]",
 * "[2001:db8::7]:443".  Anything else, and a port of 0, beyond 65535 or with
 * zeros in front, is ADDRESS_NONE.
 */
void address_read(struct slice text, struct address *address);

#endif
