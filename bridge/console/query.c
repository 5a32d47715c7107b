#include "bridge/console/query.h"

#include <string.h>

static int
digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

const char *
query_decode(struct slice text, bool plus_is_space, struct arena *arena)
{
	char *bytes = arena_allocate(arena, text.length + 1);
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		char byte = text.bytes[i];

		if (byte == '%' && text.length - i > 2 && digit(text.bytes[i + 1]) >= 0 &&
		    digit(text.bytes[i + 2]) >= 0) {
			byte = (char)(digit(text.bytes[i + 1]) * 16 + digit(text.bytes[i + 2]));
			i += 2;
		} else if (byte == '+' && plus_is_space) {
			byte = ' ';
		}
		if (byte == '\0')
			return NULL;
		bytes[length++] = byte;
	}
	bytes[length] = '\0';
	return bytes;
}

const char *
query_find(struct slice query, const char *name, struct arena *arena)
{
	size_t name_length = strlen(name);

	while (query.length > 0) {
		const char *end = memchr(query.bytes, '&', query.length);
		size_t length = end != NULL ? (size_t)(end - query.bytes) : query.length;
		struct slice value = {query.bytes + name_length + 1, 0};

		if (length > name_length + 1 && query.bytes[name_length] == '=' &&
		    memcmp(query.bytes, name, name_length) == 0) {
			value.length = length - name_length - 1;
			return query_decode(value, true, arena);
		}
		query.bytes += length + (end != NULL);
		query.length -= length + (end != NULL);
	}
	return NULL;
}
