#include "bridge/receiver/http_response.h"

enum {
	HEAD = 512,  /* bytes: all but `fields` */
	BODY = 2048, /* bytes: code, and a sentence of struct error, escaped */
	NO_CONTENT = 204,
};

bool
http_response_closes(const struct http_response *response, const struct http_asked *asked)
{
	return asked->closes || response->closes || answer_row(response->answer)->closes;
}

static struct slice
write_body(const struct http_response *response, struct text *text)
{
	if (answer_is_verbatim(response->answer))
		return response->sentence;
	answer_write(response->answer, response->sentence, text);
	if (text->overflowed) {
		text_cut(text, 0);
		answer_write(response->answer, (struct slice){NULL, 0}, text);
	}
	return text_slice(text);
}

static void
append_field(struct text *text, const char *name, const char *value)
{
	text_append_string(text, name);
	text_append_string(text, ": ");
	text_append_string(text, value);
	text_append_string(text, "\r\n");
}

static void
write_connection(const struct http_response *response, const struct http_asked *asked,
		 struct text *text)
{
	if (http_response_closes(response, asked))
		append_field(text, "Connection", "close");
	else if (asked->minor == 0 && asked->keeps)
		append_field(text, "Connection", "keep-alive");
}

static void
write_head(const struct http_response *response, const struct http_asked *asked, struct slice body,
	   struct text *text)
{
	const struct answer_row *row = answer_row(response->answer);

	text_append_string(text, asked->minor == 0 ? "HTTP/1.0 " : "HTTP/1.1 ");
	text_append_unsigned(text, (uint64_t)row->status);
	text_append_byte(text, ' ');
	text_append_string(text, row->reason);
	text_append_string(text, "\r\n");
	append_field(text, "Date", response->date);
	if (row->header != NULL)
		append_field(text, row->header, row->value);
	text_append_slice(text, response->fields);
	write_connection(response, asked, text);
	if (body.length > 0)
		append_field(text, "Content-Type", "application/json");
	if (row->status != NO_CONTENT) {
		text_append_string(text, "Content-Length: ");
		text_append_unsigned(text, body.length);
		text_append_string(text, "\r\n");
	}
	text_append_string(text, "\r\n");
}

void
http_response_write(const struct http_response *response, const struct http_asked *asked,
		    struct text *text)
{
	char bytes[BODY];
	struct text room;
	struct slice body;

	text_start(&room, bytes, sizeof(bytes));
	body = write_body(response, &room);
	write_head(response, asked, body, text);
	if (!asked->is_head)
		text_append_slice(text, body);
}

size_t
http_response_room(const struct http_response *response)
{
	bool is_short = answer_row(response->answer)->code == NULL;
	size_t body = is_short ? response->sentence.length : BODY;

	return HEAD + response->fields.length + body;
}
