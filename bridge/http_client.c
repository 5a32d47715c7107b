#include "bridge/http_client.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "bridge/deadline.h"
#include "formats/memory.h"

/* A request under way when we are to end: nearly all are answered by then. */
enum { STOP_GRACE = 1000 /* milliseconds */ };

/* What libcurl takes where a proxy names none: CURLOPT_PROXY(3). */
enum { PROXY_PORT = 1080, PROXY_PORT_TLS = 443 };

struct http_client {
	CURL *curl;
	char problem[CURL_ERROR_SIZE]; /* written by curl */
	struct text answer;
	const atomic_bool *stopping;
	int64_t timeout; /* milliseconds, of a request that has none of its own */
	int64_t stop_at; /* deadline_now() at which to give up; 0: nobody stops */
	size_t longest_answer;
	char bytes[]; /* longest_answer of them */
};

/* Keeps what fits and lets the rest go by: the status is what counts. */
static size_t
on_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct text *answer = context;
	size_t length = size * count, room = answer->capacity - answer->length;

	text_append(answer, bytes, length < room ? length : room);
	return length;
}

/* Called by curl at least once a second; anything but 0 ends the request. */
static int
on_progress(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	struct http_client *client = context;

	(void)down_all, (void)down, (void)up_all, (void)up;
	if (client->stopping == NULL || !atomic_load(client->stopping))
		return 0;
	if (client->stop_at == 0)
		client->stop_at = deadline_now() + STOP_GRACE;
	return deadline_now() >= client->stop_at;
}

struct option {
	CURLoption option;
	const char *value; /* NULL: left as it is */
};

static CURLcode
set_texts(CURL *curl, const struct option *options, size_t count)
{
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < count && code == CURLE_OK; i++)
		if (options[i].value != NULL)
			code = curl_easy_setopt(curl, options[i].option, options[i].value);
	return code;
}

static CURLcode
set_trust(CURL *curl, const struct http_client_settings *settings)
{
	const bool pinned = settings->pinned_key != NULL;
	const struct option options[] = {
	    {CURLOPT_PINNEDPUBLICKEY, settings->pinned_key},
	    {CURLOPT_CAINFO, pinned ? NULL : settings->ca_file},
	    {CURLOPT_SSLCERT, settings->certificate},
	    {CURLOPT_SSLKEY, settings->private_key},
	};
	/* The pinned key is the identity; a name or an issuer would add nothing to it. */
	CURLcode code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, pinned ? 0L : 1L);

	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, pinned ? 0L : 2L);
	if (code == CURLE_OK)
		code = set_texts(curl, options, sizeof(options) / sizeof(options[0]));
	return code;
}

/* Credentials went astray through each of these (CVE-2018-1000007, CVE-2026-3783). */
static CURLcode
set_manners(CURL *curl, const struct http_client_settings *settings)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
	    {CURLOPT_FOLLOWLOCATION, 0},
	    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
	    {CURLOPT_NOSIGNAL, 1},
	    {CURLOPT_VERBOSE, 0},
	    {CURLOPT_NOPROGRESS, 0}, /* on_progress() is called */
	    {CURLOPT_TCP_KEEPALIVE, 1},
	    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	    {CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout},
	};
	/* An empty proxy is none, and no NO_PROXY of the environment undoes a given one. */
	const struct option texts[] = {
	    {CURLOPT_PROTOCOLS_STR, settings->plain ? "http,https" : "https"},
	    {CURLOPT_PROXY, settings->proxy != NULL ? settings->proxy : ""},
	    {CURLOPT_NOPROXY, ""},
	    {CURLOPT_COOKIEFILE, settings->cookies ? "" : NULL}, /* no file: in memory */
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && code == CURLE_OK; i++)
		code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
	if (code == CURLE_OK)
		code = set_texts(curl, texts, sizeof(texts) / sizeof(texts[0]));
	return code;
}

static CURLcode
set_callbacks(struct http_client *client)
{
	CURLcode code = curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->problem);

	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_answer);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &client->answer);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, client);
	return code;
}

bool
http_client_new(struct http_client **client, const struct http_client_settings *settings,
		struct error *error)
{
	size_t longest_answer =
	    settings->longest_answer > 0 ? settings->longest_answer : HTTP_CLIENT_LONGEST_ANSWER;
	struct http_client *made = memory_allocate(sizeof(*made) + longest_answer);
	CURLcode code;

	made->longest_answer = longest_answer;
	made->stopping = settings->stopping;
	made->timeout = settings->timeout;
	made->curl = curl_easy_init();
	if (made->curl == NULL) {
		free(made);
		return error_set(error, "libcurl cannot be started");
	}
	code = set_manners(made->curl, settings);
	if (code == CURLE_OK)
		code = set_trust(made->curl, settings);
	if (code == CURLE_OK)
		code = set_callbacks(made);
	if (code != CURLE_OK) {
		error_set(error, "libcurl cannot be set up: %s", curl_easy_strerror(code));
		http_client_free(made);
		return false;
	}
	*client = made;
	return true;
}

void
http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->curl);
	free(client);
}

/* ---- a request ---- */

static struct curl_slist *
append_header(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (longer == NULL)
		memory_panic("out of memory: a header");
	return longer;
}

/* "name: value\n" lines as a list; Expect, which curl adds by itself, is left out. */
static struct curl_slist *
header_list(struct slice headers)
{
	struct curl_slist *list = append_header(NULL, "Expect:");

	while (headers.length > 0) {
		const char *end = memchr(headers.bytes, '\n', headers.length);
		size_t length = end != NULL ? (size_t)(end - headers.bytes) : headers.length;
		size_t skip = end != NULL ? length + 1 : length;
		char *line = memory_copy_text(headers.bytes, length);

		list = append_header(list, line);
		memory_wipe(line, length);
		free(line);
		headers.bytes += skip;
		headers.length -= skip;
	}
	return list;
}

/* Credentials were among them. */
static void
free_headers(struct curl_slist *list)
{
	for (struct curl_slist *header = list; header != NULL; header = header->next)
		memory_wipe(header->data, strlen(header->data));
	curl_slist_free_all(list);
}

static CURLcode
set_body(CURL *curl, const struct http_client_request *request)
{
	CURLcode code;

	if (strcmp(request->method, "GET") == 0)
		return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	code = curl_easy_setopt(curl, CURLOPT_POST, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
					(curl_off_t)request->body.length);
	/* without bytes curl would read them from stdin */
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
					request->body.length > 0 ? request->body.bytes : "");
	return code;
}

static CURLcode
set_request(struct http_client *client, const struct http_client_request *request,
	    const struct curl_slist *headers)
{
	CURLcode code = curl_easy_setopt(client->curl, CURLOPT_URL, request->url);

	if (code == CURLE_OK)
		code = set_body(client->curl, request);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, request->method);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(
		    client->curl, CURLOPT_TIMEOUT_MS,
		    (long)(request->timeout > 0 ? request->timeout : client->timeout));
	return code;
}

struct slice
http_client_origin(const char *url)
{
	const char *host = strstr(url, "://");
	size_t scheme = host != NULL ? (size_t)(host - url) + 3 : 0;

	return (struct slice){url, scheme + strcspn(url + scheme, "/?#")};
}

bool
http_client_port(const char *url, bool is_proxy, uint16_t *port)
{
	struct slice origin = http_client_origin(url);
	char *text = memory_copy_text(origin.bytes, origin.length);
	char *found = NULL;
	uint64_t number = 0;
	CURLU *parts = curl_url();
	CURLUcode code =
	    parts != NULL ? curl_url_set(parts, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
	bool is_known;

	if (code == CURLUE_OK)
		code =
		    curl_url_get(parts, CURLUPART_PORT, &found, is_proxy ? 0 : CURLU_DEFAULT_PORT);
	if (code == CURLUE_NO_PORT && is_proxy)
		number = strncmp(text, "https:", 6) == 0 ? PROXY_PORT_TLS : PROXY_PORT;
	is_known = number != 0 ||
		   (code == CURLUE_OK && text_parse_unsigned(text_of(found), UINT16_MAX, &number));
	*port = (uint16_t)number;
	curl_free(found);
	curl_url_cleanup(parts);
	free(text);
	return is_known;
}

/* Not before the handshake as a whole is done: until then nothing of the request is out. */
static bool
has_begun_to_send(const struct http_client *client)
{
	curl_off_t began = 0;

	return curl_easy_getinfo(client->curl, CURLINFO_PRETRANSFER_TIME_T, &began) != CURLE_OK ||
	       began != 0;
}

/* What a failure means for the request.  In doubt the peer may have it. */
static enum http_client_result
result_of(const struct http_client *client, CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_URL_MALFORMAT:
		return HTTP_CLIENT_UNTRUSTED;
	case CURLE_UNSUPPORTED_PROTOCOL: /* of the address, or what was answered is no HTTP */
		return has_begun_to_send(client) ? HTTP_CLIENT_LOST : HTTP_CLIENT_UNTRUSTED;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_CLIENT_UNREACHABLE;
	default:
		return has_begun_to_send(client) ? HTTP_CLIENT_LOST : HTTP_CLIENT_UNREACHABLE;
	}
}

static CURLcode
take_answer(const struct http_client *client, struct http_client_answer *answer)
{
	curl_off_t seconds = 0;
	long status = 0;
	CURLcode code = curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);

	/* of either form, a number or a date (RFC 9110 10.2.3) */
	if (code == CURLE_OK)
		code = curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds < 0)
		seconds = 0;
	if (seconds > HTTP_CLIENT_LONGEST_PAUSE / 1000)
		seconds = HTTP_CLIENT_LONGEST_PAUSE / 1000;
	answer->status = (int)status;
	answer->body = text_slice(&client->answer);
	answer->retry_after = (int64_t)seconds * 1000;
	return code;
}

enum http_client_result
http_client_perform(struct http_client *client, const struct http_client_request *request,
		    struct http_client_answer *answer, struct error *error)
{
	struct curl_slist *headers = header_list(request->headers);
	struct slice origin = http_client_origin(request->url);
	CURLcode code;

	text_start(&client->answer, client->bytes, client->longest_answer);
	client->problem[0] = '\0';
	client->stop_at = 0;
	code = set_request(client, request, headers);
	if (code == CURLE_OK)
		code = curl_easy_perform(client->curl);
	if (code == CURLE_OK)
		code = take_answer(client, answer);
	free_headers(headers);
	if (code == CURLE_OK)
		return HTTP_CLIENT_ANSWERED;
	error_set(error, "%.*s: %s", (int)origin.length, origin.bytes,
		  client->problem[0] != '\0' ? client->problem : curl_easy_strerror(code));
	return result_of(client, code);
}

bool
http_client_post(struct http_client *client, const char *url, struct slice headers,
		 struct slice body, struct http_client_answer *answer, struct error *error)
{
	const struct http_client_request request = {
	    .method = "POST", .url = url, .headers = headers, .body = body};

	return http_client_perform(client, &request, answer, error) == HTTP_CLIENT_ANSWERED;
}

/* ---- cookies ---- */

void
http_client_cookies(const struct http_client *client, struct text *text)
{
	struct curl_slist *list = NULL;

	if (curl_easy_getinfo(client->curl, CURLINFO_COOKIELIST, &list) != CURLE_OK)
		return;
	for (const struct curl_slist *cookie = list; cookie != NULL; cookie = cookie->next) {
		text_append_string(text, cookie->data);
		text_append_byte(text, '\n');
	}
	curl_slist_free_all(list);
}

void
http_client_set_cookies(struct http_client *client, struct slice cookies)
{
	while (cookies.length > 0) {
		const char *end = memchr(cookies.bytes, '\n', cookies.length);
		size_t length = end != NULL ? (size_t)(end - cookies.bytes) : cookies.length;
		size_t skip = end != NULL ? length + 1 : length;
		char *line = memory_copy_text(cookies.bytes, length);

		/* One that curl does not take costs stickiness, nothing else. */
		(void)curl_easy_setopt(client->curl, CURLOPT_COOKIELIST, line);
		free(line);
		cookies.bytes += skip;
		cookies.length -= skip;
	}
}
