#include "bridge/commands/show.h"

#include <stdio.h>

#include "bridge/config.h"
#include "formats/timestamp.h"
#include "formats/utf8.h"

static void
print(struct slice text, bool lines)
{
	size_t at = 0;

	while (at < text.length) {
		const char *bytes = text.bytes + at;
		size_t length = utf8_sequence(bytes, text.length - at);
		bool plain = length > 0 && utf8_hidden(bytes, text.length - at) == 0;

		if (lines && (*bytes == '\n' || *bytes == '\t'))
			plain = true;
		if (length == 0)
			length = 1;
		for (size_t i = 0; i < length; i++)
			if (plain)
				(void)putchar(bytes[i]);
			else
				(void)printf("\\x%02X", (unsigned)(unsigned char)bytes[i]);
		at += length;
	}
}

void
show_text(struct slice text)
{
	if (text.bytes == NULL)
		(void)putchar('-');
	else
		print(text, false);
}

void
show_lines(struct slice text)
{
	print(text, true);
}

void
show_time(int64_t milliseconds)
{
	char bytes[40];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	if (milliseconds == 0)
		text_append_byte(&text, '-');
	else
		timestamp_write_rfc3339(&text, milliseconds);
	(void)fwrite(text.bytes, 1, text.length, stdout);
}

void
show_size(uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double size = (double)bytes;
	size_t unit = 0;

	for (; size >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		size /= 1024;
	(void)printf(unit > 0 && size < 100 ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

bool
show_parse_time(const char *text, int64_t now, int64_t *milliseconds, struct error *error)
{
	int64_t before;
	struct error ignored;

	if (timestamp_read_strict(text_of(text), milliseconds))
		return true;
	if (config_parse_duration(text, &before, &ignored)) {
		*milliseconds = now - before;
		return true;
	}
	return error_set(error, "%.60s is no time: 2026-10-01T12:00:00Z, or 2h for two hours ago",
			 text);
}

bool
show_parse_range(const char *since, const char *until, int64_t now, int64_t *first, int64_t *last,
		 struct error *error)
{
	return (since == NULL || show_parse_time(since, now, first, error)) &&
	       (until == NULL || show_parse_time(until, now, last, error));
}
