#include "bridge/receiver/http_line.h"

#include <string.h>

/* RFC 9110 5.6.2 */
static const bool token[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,  ['#'] = true,
    ['$'] = true,         ['%'] = true,         ['&'] = true,         ['\''] = true, ['*'] = true,
    ['+'] = true,         ['-'] = true,         ['.'] = true,         ['^'] = true,  ['_'] = true,
    ['`'] = true,         ['|'] = true,         ['~'] = true,
};

/* RFC 9110 5.5: no control character but HTAB. */
static const bool field_value[256] = {
    ['\t'] = true,
    [' ' ... '~'] = true,
    [0x80 ... 0xFF] = true,
};

bool
http_line_is_alphanumeric(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9');
}

bool
http_line_is_one_of(unsigned char byte, const char *set)
{
	return byte != '\0' && strchr(set, byte) != NULL;
}

static bool
are_all(struct slice text, const bool allowed[256])
{
	for (size_t i = 0; i < text.length; i++)
		if (!allowed[(unsigned char)text.bytes[i]])
			return false;
	return true;
}

bool
http_line_is_token(struct slice text)
{
	return text.length > 0 && are_all(text, token);
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

struct slice
http_line_trim(struct slice text)
{
	while (text.length > 0 && is_blank(text.bytes[0])) {
		text.bytes++;
		text.length--;
	}
	while (text.length > 0 && is_blank(text.bytes[text.length - 1]))
		text.length--;
	return text;
}

bool
http_line_split(struct slice line, struct slice *name, struct slice *value)
{
	const char *colon = memchr(line.bytes, ':', line.length);

	if (colon == NULL)
		return false;
	/* a blank before the colon, or at the start of the line (obs-fold), is no token */
	*name = (struct slice){line.bytes, (size_t)(colon - line.bytes)};
	*value = http_line_trim((struct slice){colon + 1, line.length - name->length - 1});
	return http_line_is_token(*name) && are_all(*value, field_value);
}

enum http_line_result
http_line_end(const char *bytes, size_t length, size_t start, size_t *scanned, struct slice *line)
{
	const char *end = memchr(bytes + *scanned, '\n', length - *scanned);

	*scanned = length;
	if (end == NULL)
		return HTTP_LINE_MORE;
	*line = (struct slice){bytes + start, (size_t)(end - bytes) - start};
	if (line->length == 0 || line->bytes[line->length - 1] != '\r')
		return HTTP_LINE_BAD;
	line->length--;
	*scanned = start + line->length + 2;
	return HTTP_LINE_WHOLE;
}
