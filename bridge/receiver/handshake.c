#include "bridge/receiver/handshake.h"

#include <string.h>

#include "formats/glob.h"

/* In lower case; false: not a DNS name.  It is sent back, so it is nothing else. */
static bool
read_origin(struct slice header, char origin[HANDSHAKE_ORIGIN + 1])
{
	if (header.length == 0 || header.length > HANDSHAKE_ORIGIN)
		return false;
	for (size_t i = 0; i < header.length; i++) {
		char byte = header.bytes[i];

		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte - 'A' + 'a');
		if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') && byte != '.' &&
		    byte != '-')
			return false;
		origin[i] = byte;
	}
	origin[header.length] = '\0';
	return true;
}

/* What is allowed, whatever was asked; "*": as often as it likes. */
static void
write_rate(uint32_t allowed, char rate[24])
{
	struct text text;

	text_start(&text, rate, 23);
	if (allowed == 0)
		text_append_byte(&text, '*');
	else
		text_append_unsigned(&text, allowed);
	rate[text.length] = '\0';
}

bool
handshake_answer(const struct config_source *source, const struct verify_request *request,
		 struct handshake *consent)
{
	size_t count, rates;
	struct slice asked = request->header(request->context, "webhook-request-origin", &count);

	if (count == 0)
		return false;
	*consent = (struct handshake){.origin = ""};
	if (count > 1 || !read_origin(asked, consent->origin) ||
	    !glob_any(source->allowed_origins, source->allowed_origins_count,
		      text_of(consent->origin))) {
		consent->origin[0] = '\0';
		return true;
	}
	(void)request->header(request->context, "webhook-request-rate", &rates);
	if (rates > 0)
		write_rate(source->allowed_rate, consent->rate);
	return true;
}
