#include "bridge/forwarder/hec_client.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bridge/gzip.h"
#include "bridge/http_client.h"
#include "bridge/secret.h"
#include "formats/memory.h"

enum {
	URL_BYTES = 2100,
	PEER_BYTES = 300,
	HEADER_BYTES = 8192,
	CONNECT_TIMEOUT = 10000, /* milliseconds */
	ACK_BYTES = 24 * HEC_CLIENT_ACKS,
};

struct hec_client {
	const struct config_splunk_hec *hec;
	const char *url; /* the one of its addresses to go to */
	const atomic_bool *stopping;
	struct http_client *http; /* NULL: made with the next request, with fresh settings */
	char *cookies;            /* for it; NULL: none */
	char peer[PEER_BYTES];
	char event_url[URL_BYTES], health_url[URL_BYTES], ack_url[URL_BYTES];
	struct secret *token;
	struct stat token_file; /* as it was when the token was read */
	char headers[HEADER_BYTES];
	struct text compressed;
};

/* ---- where it is ---- */

static bool
ends_with(struct slice text, const char *end)
{
	size_t length = strlen(end);

	return text.length >= length && memcmp(text.bytes + text.length - length, end, length) == 0;
}

/* ".../services/collector", whatever of it was written. */
static struct slice
base_of(const char *url)
{
	static const char *const ends[] = {"/", "/1.0", "/event"};
	struct slice base = text_of(url);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(base, ends[i]))
			base.length -= strlen(ends[i]);
	return base;
}

static void
write_url(char *url, struct slice base, bool has_path, const char *end)
{
	struct text text;

	text_start(&text, url, URL_BYTES - 1);
	text_append_slice(&text, base);
	text_append_string(&text, has_path ? "" : "/services/collector");
	text_append_string(&text, end);
	if (text.overflowed)
		memory_panic("a URL that was allowed does not fit");
	url[text.length] = '\0';
}

struct hec_client *
hec_client_new(const struct config_splunk_hec *hec, const char *url, const atomic_bool *stopping)
{
	struct hec_client *client = memory_allocate(sizeof(*client));
	struct slice base = base_of(url), origin = http_client_origin(url);
	bool has_path = base.length > origin.length;
	struct text peer;

	client->hec = hec;
	client->url = url;
	client->stopping = stopping;
	write_url(client->event_url, base, has_path, "/event");
	write_url(client->health_url, base, has_path, "/health");
	write_url(client->ack_url, base, has_path, "/ack");
	text_start(&peer, client->peer, sizeof(client->peer) - 1);
	text_append(&peer, origin.bytes,
		    origin.length < PEER_BYTES ? origin.length : PEER_BYTES - 1);
	if (hec->gzip) {
		size_t bound = gzip_bound((size_t)hec->batch_size);

		text_start(&client->compressed, memory_allocate(bound), bound);
	}
	return client;
}

void
hec_client_free(struct hec_client *client)
{
	if (client == NULL)
		return;
	http_client_free(client->http);
	secret_free(client->token);
	free(client->cookies);
	free(client->compressed.bytes);
	memory_wipe(client->headers, sizeof(client->headers));
	free(client);
}

const char *
hec_client_peer(const struct hec_client *client)
{
	return client->peer;
}

/* ---- the token ---- */

static bool
has_changed(const struct stat *before, const struct stat *now)
{
	return before->st_ino != now->st_ino || before->st_dev != now->st_dev ||
	       before->st_size != now->st_size || before->st_mtim.tv_sec != now->st_mtim.tv_sec ||
	       before->st_mtim.tv_nsec != now->st_mtim.tv_nsec;
}

/* A credential of systemd has a name without a directory, and never changes. */
static bool
look_at_token(const struct hec_client *client, struct stat *now)
{
	memset(now, 0, sizeof(*now));
	return strchr(client->hec->token_file, '/') == NULL ||
	       stat(client->hec->token_file, now) == 0;
}

static bool
ensure_token(struct hec_client *client, struct error *error)
{
	const char *file = client->hec->token_file;
	struct stat now;

	/* before it is read: what is written meanwhile is then seen the next time */
	if (!look_at_token(client, &now))
		return error_set_errno(error, "token_file %s cannot be read", file);
	if (client->token != NULL && !has_changed(&client->token_file, &now))
		return true;
	secret_free(client->token);
	client->token = NULL;
	if (!secret_read_token(&client->token, file, error))
		return error_prefix(error, "token_file");
	client->token_file = now;
	return true;
}

/* ---- a request ---- */

static bool
ensure_http(struct hec_client *client, struct error *error)
{
	const struct config_splunk_hec *hec = client->hec;
	const struct http_client_settings settings = {
	    .pinned_key = hec->pinned_key,
	    .ca_file = hec->ca_file,
	    .certificate = hec->certificate,
	    .private_key = hec->private_key,
	    .proxy = hec->proxy,
	    .plain = strncmp(client->url, "http://", strlen("http://")) == 0,
	    .cookies = true,
	    .connect_timeout = hec->timeout < CONNECT_TIMEOUT ? hec->timeout : CONNECT_TIMEOUT,
	    .timeout = hec->timeout,
	    .stopping = client->stopping,
	};

	if (client->http != NULL)
		return true;
	if (!http_client_new(&client->http, &settings, error))
		return false;
	if (client->cookies != NULL)
		http_client_set_cookies(client->http, text_of(client->cookies));
	return true;
}

static struct slice
write_headers(struct hec_client *client, const char *channel, bool body, bool gzip)
{
	struct text text;

	text_start(&text, client->headers, sizeof(client->headers));
	text_append_string(&text, "Authorization: Splunk ");
	text_append_slice(&text, secret_bytes(client->token));
	text_append_byte(&text, '\n');
	if (channel[0] != '\0')
		text_append_format(&text, "X-Splunk-Request-Channel: %s\n", channel);
	if (body)
		text_append_string(&text, "Content-Type: application/json\n");
	if (gzip)
		text_append_string(&text, "Content-Encoding: gzip\n");
	return text_slice(&text);
}

/* The settings may be mended meanwhile: a fresh client takes them up. */
static void
forget_http(struct hec_client *client)
{
	http_client_free(client->http);
	client->http = NULL;
}

static enum hec_client_result
perform(struct hec_client *client, const struct http_client_request *request,
	struct http_client_answer *answer, struct error *error)
{
	switch (http_client_perform(client->http, request, answer, error)) {
	case HTTP_CLIENT_ANSWERED:
		return HEC_CLIENT_ANSWERED;
	case HTTP_CLIENT_UNREACHABLE:
		return HEC_CLIENT_AWAY;
	case HTTP_CLIENT_LOST:
		return HEC_CLIENT_LOST;
	case HTTP_CLIENT_UNTRUSTED:
		break;
	}
	forget_http(client);
	return HEC_CLIENT_WRONG;
}

static bool
prepare(struct hec_client *client, struct error *error)
{
	return ensure_token(client, error) && ensure_http(client, error);
}

static struct slice
compress(struct hec_client *client, struct slice body)
{
	text_cut(&client->compressed, 0);
	gzip_compress(body, &client->compressed);
	/* one message may be longer than a batch: it goes as it is */
	return client->compressed.overflowed ? body : text_slice(&client->compressed);
}

enum hec_client_result
hec_client_post(struct hec_client *client, const char *channel, struct slice envelopes,
		size_t count, struct hec_client_answer *answer, struct error *error)
{
	struct http_client_request request = {.method = "POST", .url = client->event_url};
	struct http_client_answer got;
	enum hec_client_result result;

	if (!prepare(client, error))
		return HEC_CLIENT_WRONG;
	request.body = client->hec->gzip ? compress(client, envelopes) : envelopes;
	request.headers =
	    write_headers(client, channel, true, request.body.bytes != envelopes.bytes);
	result = perform(client, &request, &got, error);
	if (result != HEC_CLIENT_ANSWERED)
		return result;
	answer->status = got.status;
	answer->retry_after = got.retry_after;
	hec_reply_read(got.status, got.body, count, &answer->reply);
	return HEC_CLIENT_ANSWERED;
}

enum hec_client_result
hec_client_look(struct hec_client *client, int64_t limit, struct hec_client_answer *answer,
		struct error *error)
{
	struct http_client_request request = {
	    .method = "GET", .url = client->health_url, .timeout = limit};
	struct http_client_answer got;
	enum hec_client_result result;

	if (!prepare(client, error))
		return HEC_CLIENT_WRONG;
	request.headers = write_headers(client, "", false, false);
	result = perform(client, &request, &got, error);
	if (result != HEC_CLIENT_ANSWERED)
		return result;
	answer->status = got.status;
	answer->retry_after = got.retry_after;
	hec_reply_read(got.status, got.body, 0, &answer->reply);
	return HEC_CLIENT_ANSWERED;
}

static struct slice
write_question(char *bytes, size_t capacity, const uint64_t *ack_ids, size_t count)
{
	struct text text;

	text_start(&text, bytes, capacity);
	text_append_string(&text, "{\"acks\":[");
	for (size_t i = 0; i < count; i++) {
		text_append_string(&text, i > 0 ? "," : "");
		text_append_unsigned(&text, ack_ids[i]);
	}
	text_append_string(&text, "]}");
	return text_slice(&text);
}

enum hec_client_result
hec_client_ask(struct hec_client *client, const char *channel, const uint64_t *ack_ids,
	       size_t count, void (*indexed)(void *context, uint64_t ack_id), void *context,
	       struct hec_client_answer *answer, struct error *error)
{
	char body[ACK_BYTES + 16], url[URL_BYTES + 64];
	struct http_client_request request = {.method = "POST", .url = url};
	struct http_client_answer got;
	enum hec_client_result result;
	struct text text;

	if (!prepare(client, error))
		return HEC_CLIENT_WRONG;
	text_start(&text, url, sizeof(url) - 1);
	text_append_format(&text, "%s?channel=%s", client->ack_url, channel);
	url[text.length] = '\0';
	request.body = write_question(body, sizeof(body), ack_ids, count);
	request.headers = write_headers(client, channel, true, false);
	result = perform(client, &request, &got, error);
	if (result != HEC_CLIENT_ANSWERED)
		return result;
	answer->status = got.status;
	answer->retry_after = got.retry_after;
	hec_reply_read(got.status, got.body, 0, &answer->reply);
	if (hec_reply_acks(got.status, got.body, indexed, context))
		answer->reply.action = HEC_DONE;
	return HEC_CLIENT_ANSWERED;
}

void
hec_client_explain(const struct hec_client *client, const struct hec_client_answer *answer,
		   struct error *error)
{
	error_set(error, "%s answered %d: %s", client->peer, answer->status, answer->reply.meaning);
}

/* ---- cookies ---- */

void
hec_client_cookies(const struct hec_client *client, struct text *text)
{
	if (client->http != NULL)
		http_client_cookies(client->http, text);
}

void
hec_client_set_cookies(struct hec_client *client, struct slice cookies)
{
	free(client->cookies);
	client->cookies = memory_copy_text(cookies.bytes, cookies.length);
	if (client->http != NULL)
		http_client_set_cookies(client->http, cookies);
}
