#include "formats/address.h"

#include <arpa/inet.h>
#include <string.h>

static enum address_kind
kind_of(struct slice ip)
{
	char copy[INET6_ADDRSTRLEN + 1];
	unsigned char binary[16];

	if (ip.length == 0 || ip.length >= sizeof(copy) || memchr(ip.bytes, '\0', ip.length))
		return ADDRESS_NONE;
	memcpy(copy, ip.bytes, ip.length);
	copy[ip.length] = '\0';
	if (inet_pton(AF_INET, copy, binary) == 1)
		return ADDRESS_IPV4;
	return inet_pton(AF_INET6, copy, binary) == 1 ? ADDRESS_IPV6 : ADDRESS_NONE;
}

static bool
read_port(struct slice digits, struct slice *port)
{
	uint64_t number;

	*port = digits;
	return digits.length > 0 && digits.bytes[0] != '0' &&
	       text_parse_unsigned(digits, UINT16_MAX, &number);
}

/* The text behind its first `length` bytes. */
static struct slice
behind(struct slice text, size_t length)
{
	return (struct slice){text.bytes + length, text.length - length};
}

/* "[2001:db8::7]", with ":443" or without. */
static bool
read_bracketed(struct slice text, struct address *address)
{
	const char *bracket = memchr(text.bytes, ']', text.length);
	struct slice rest;

	if (text.bytes[0] != '[' || bracket == NULL)
		return false;
	address->ip = (struct slice){text.bytes + 1, (size_t)(bracket - text.bytes) - 1};
	address->kind = kind_of(address->ip);
	rest = behind(text, address->ip.length + 2);
	return address->kind == ADDRESS_IPV6 &&
	       (rest.length == 0 ||
		(rest.bytes[0] == ':' && read_port(behind(rest, 1), &address->port)));
}

/* "203.0.113.7:443" */
static bool
read_with_port(struct slice text, struct address *address)
{
	const char *colon = memchr(text.bytes, ':', text.length);

	if (colon == NULL)
		return false;
	address->ip = (struct slice){text.bytes, (size_t)(colon - text.bytes)};
	address->kind = kind_of(address->ip);
	return address->kind == ADDRESS_IPV4 &&
	       read_port(behind(text, address->ip.length + 1), &address->port);
}

void
address_read(struct slice text, struct address *address)
{
	*address = (struct address){.kind = kind_of(text), .ip = text};
	if (address->kind != ADDRESS_NONE || text.length == 0 || read_bracketed(text, address) ||
	    read_with_port(text, address))
		return;
	*address = (struct address){.kind = ADDRESS_NONE, .ip = text};
}
