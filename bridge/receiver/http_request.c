#include "bridge/receiver/http_request.h"

#include <string.h>
#include <strings.h>

struct slice
http_request_header(void *context, const char *name, size_t *count)
{
	const struct http_request *request = context;
	const struct http_head *head = request->head;
	struct slice found = {NULL, 0}, wanted = text_of(name);

	*count = 0;
	for (size_t i = 0; i < head->field_count; i++) {
		struct slice other = http_head_part(request->bytes, head->fields[i].name);

		if (!text_slices_equal_any_case(other, wanted))
			continue;
		if ((*count)++ == 0)
			found = http_head_part(request->bytes, head->fields[i].value);
	}
	return found;
}

void
http_request_headers(void *context, const char *prefix, struct text *text)
{
	const struct http_request *request = context;
	const struct http_head *head = request->head;
	size_t length = strlen(prefix);

	for (size_t i = 0; i < head->field_count; i++) {
		struct slice name = http_head_part(request->bytes, head->fields[i].name);

		if (name.length < length || strncasecmp(name.bytes, prefix, length) != 0)
			continue;
		for (size_t j = 0; j < name.length; j++) {
			char byte = name.bytes[j];

			text_append_byte(text, byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a')
									  : byte);
		}
		text_append_string(text, ": ");
		text_append_slice(text, http_head_part(request->bytes, head->fields[i].value));
		text_append_byte(text, '\n');
	}
}
