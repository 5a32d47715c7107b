#include "formats/rfc3164.h"

#include "formats/escape.h"
#include "formats/timestamp.h"

enum { HOSTNAME_LENGTH = 255 };

/* "gw1" of "gw1.example.com"; 192.0.2.1 and 2001:db8::7 have no domain. */
static struct slice
without_domain(struct slice hostname)
{
	bool is_address = true;
	const char *dot = NULL;

	for (size_t i = 0; i < hostname.length; i++) {
		char byte = hostname.bytes[i];

		if (byte == ':')
			return hostname;
		if (byte == '.' && dot == NULL && i > 0)
			dot = &hostname.bytes[i];
		else if (byte != '.' && (byte < '0' || byte > '9'))
			is_address = false;
	}
	if (dot != NULL && !is_address)
		hostname.length = (size_t)(dot - hostname.bytes);
	return hostname;
}

void
rfc3164_header(struct text *text, int priority, int64_t milliseconds, struct slice hostname)
{
	text_append_byte(text, '<');
	text_append_number(text, priority);
	text_append_byte(text, '>');
	timestamp_write_rfc3164(text, milliseconds);
	text_append_byte(text, ' ');
	escape_append_name(text, without_domain(hostname), HOSTNAME_LENGTH);
	text_append_byte(text, ' ');
}
