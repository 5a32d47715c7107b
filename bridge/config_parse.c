/* Sizes, durations and addresses as they are written in the configuration. */
#include "bridge/config.h"

#include <string.h>

#include "formats/text.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KB", UINT64_C(1000)},
    {"MB", UINT64_C(1000000)},
    {"GB", UINT64_C(1000000000)},
    {"TB", UINT64_C(1000000000000)},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
};

/* in milliseconds */
static const struct unit duration_units[] = {
    {"ms", UINT64_C(1)},      {"s", UINT64_C(1000)},     {"m", UINT64_C(60000)},
    {"h", UINT64_C(3600000)}, {"d", UINT64_C(86400000)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Digits, then one of the units; the product is at most INT64_MAX. */
static bool
parse(const char *text, const struct unit *units, size_t count, uint64_t *number)
{
	struct slice digits = {text, strspn(text, "0123456789")};

	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		if (strcmp(text + digits.length, units[i].name) != 0)
			continue;
		if (!text_parse_unsigned(digits, INT64_MAX / units[i].factor, &value))
			return false;
		*number = value * units[i].factor;
		return true;
	}
	return false;
}

bool
config_parse_size(const char *text, uint64_t *bytes, struct error *error)
{
	if (!parse(text, size_units, COUNT(size_units), bytes))
		return error_set(error,
				 "'%.40s' is not a size; write bytes, or a whole number with "
				 "KiB, MiB, GiB, TiB, KB, MB, GB or TB, as in 256KiB",
				 text);
	return true;
}

bool
config_parse_duration(const char *text, int64_t *milliseconds, struct error *error)
{
	uint64_t number;

	if (!parse(text, duration_units, COUNT(duration_units), &number))
		return error_set(error,
				 "'%.40s' is not a duration; write a whole number with ms, s, m, h "
				 "or d, as in 300s",
				 text);
	*milliseconds = (int64_t)number;
	return true;
}

/* Copies `part` with a NUL behind it; false where it does not fit. */
static bool
copy(char *buffer, size_t capacity, struct slice part)
{
	struct text text;

	text_start(&text, buffer, capacity);
	text_append_slice(&text, part);
	text_append_byte(&text, '\0');
	return !text.overflowed;
}

/* What may stand in a host name or, in brackets, in an IPv6 address with its zone. */
static bool
host_is_plain(struct slice host, bool bracketed)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	for (size_t i = 0; i < host.length; i++)
		if ((host.bytes[i] == '\0' || strchr(letters, host.bytes[i]) == NULL) &&
		    !(bracketed && (host.bytes[i] == ':' || host.bytes[i] == '%')))
			return false;
	return true;
}

bool
config_parse_address(const char *text, char host[256], char port[8], struct error *error)
{
	const char *colon = strrchr(text, ':');
	struct slice host_part, port_part;
	bool bracketed;
	uint64_t number;

	if (colon == NULL)
		return error_set(error, "'%.100s' has no port; write host:port", text);
	host_part = (struct slice){text, (size_t)(colon - text)};
	port_part = text_of(colon + 1);
	bracketed = host_part.length > 2 && text[0] == '[' && text[host_part.length - 1] == ']';
	if (bracketed)
		host_part = (struct slice){text + 1, host_part.length - 2};
	else if (memchr(text, ':', host_part.length) != NULL)
		return error_set(
		    error, "'%.100s': write an IPv6 address in brackets, as in [::1]:514", text);
	if (!host_is_plain(host_part, bracketed))
		return error_set(error, "'%.100s' holds no valid host; write host:port", text);
	if (!text_parse_unsigned(port_part, 65535, &number) || number == 0 ||
	    !copy(port, 8, port_part))
		return error_set(error, "'%.100s': the port must be a number from 1 to 65535",
				 text);
	if (!copy(host, 256, host_part))
		return error_set(error, "'%.100s': the host is longer than 255 bytes", text);
	return true;
}
