#include "bridge/receiver/request_read.h"

#include <string.h>
#include <strings.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

struct slice
request_read_header(void *request, const char *name, size_t *count)
{
	struct slice found = {NULL, 0};
	const struct evkeyval *header;

	*count = 0;
	for (header = evhttp_request_get_input_headers(request)->tqh_first; header != NULL;
	     header = header->next.tqe_next) {
		if (strcasecmp(header->key, name) != 0)
			continue;
		if ((*count)++ == 0)
			found = text_of(header->value);
	}
	return found;
}

void
request_read_headers(void *request, const char *prefix, struct text *text)
{
	const struct evkeyval *header;

	for (header = evhttp_request_get_input_headers(request)->tqh_first; header != NULL;
	     header = header->next.tqe_next) {
		if (strncasecmp(header->key, prefix, strlen(prefix)) != 0)
			continue;
		for (const char *byte = header->key; *byte != '\0'; byte++)
			text_append_byte(
			    text, *byte >= 'A' && *byte <= 'Z' ? (char)(*byte - 'A' + 'a') : *byte);
		text_append_string(text, ": ");
		text_append_string(text, header->value);
		text_append_byte(text, '\n');
	}
}

struct slice
request_read_body(struct evhttp_request *request)
{
	struct evbuffer *buffer = evhttp_request_get_input_buffer(request);
	size_t length = evbuffer_get_length(buffer);

	if (length == 0)
		return SLICE_LITERAL("");
	return (struct slice){(const char *)evbuffer_pullup(buffer, -1), length};
}

bool
request_read_is_packed(struct evhttp_request *request)
{
	size_t count;
	struct slice coding = request_read_header(request, "content-encoding", &count);

	return count > 0 && strcasecmp(coding.bytes, "identity") != 0;
}
