#include "bridge/http_client.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "formats/memory.h"

struct http_client {
	CURL *curl;
	char problem[CURL_ERROR_SIZE]; /* written by curl */
	struct text answer;
	char bytes[HTTP_CLIENT_LONGEST_ANSWER];
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

static CURLcode
set_trust(CURL *curl, const struct http_client_settings *settings)
{
	CURLcode code = CURLE_OK;

	if (settings->pinned_key != NULL) {
		/* The key is the identity; a name or an issuer would add nothing to it. */
		code = curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, settings->pinned_key);
		if (code == CURLE_OK)
			code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		if (code == CURLE_OK)
			code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
		return code;
	}
	code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (code == CURLE_OK && settings->ca_file != NULL)
		code = curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
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
	    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	    {CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout},
	    {CURLOPT_TIMEOUT_MS, (long)settings->timeout},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && code == CURLE_OK; i++)
		code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
	return code;
}

bool
http_client_new(struct http_client **client, const struct http_client_settings *settings,
		struct error *error)
{
	struct http_client *made = memory_allocate(sizeof(*made));
	CURLcode code;

	made->curl = curl_easy_init();
	if (made->curl == NULL) {
		free(made);
		return error_set(error, "libcurl cannot be started");
	}
	code = set_manners(made->curl, settings);
	if (code == CURLE_OK)
		code = set_trust(made->curl, settings);
	if (code == CURLE_OK)
		code = curl_easy_setopt(made->curl, CURLOPT_ERRORBUFFER, made->problem);
	if (code == CURLE_OK)
		code = curl_easy_setopt(made->curl, CURLOPT_WRITEFUNCTION, on_answer);
	if (code == CURLE_OK)
		code = curl_easy_setopt(made->curl, CURLOPT_WRITEDATA, &made->answer);
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
		free(line);
		headers.bytes += skip;
		headers.length -= skip;
	}
	return list;
}

static CURLcode
set_request(struct http_client *client, const char *url, const struct curl_slist *headers,
	    struct slice body)
{
	CURLcode code = curl_easy_setopt(client->curl, CURLOPT_URL, url);

	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE,
					(curl_off_t)body.length);
	/* without bytes curl would read them from stdin */
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS,
					body.length > 0 ? body.bytes : "");
	return code;
}

bool
http_client_post(struct http_client *client, const char *url, struct slice headers,
		 struct slice body, struct http_client_answer *answer, struct error *error)
{
	struct curl_slist *list = header_list(headers);
	long status = 0;
	CURLcode code;

	text_start(&client->answer, client->bytes, sizeof(client->bytes));
	client->problem[0] = '\0';
	code = set_request(client, url, list, body);
	if (code == CURLE_OK)
		code = curl_easy_perform(client->curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(list);
	if (code != CURLE_OK)
		return error_set(error, "%s: %s", url,
				 client->problem[0] != '\0' ? client->problem
							    : curl_easy_strerror(code));
	answer->status = (int)status;
	answer->body = text_slice(&client->answer);
	return true;
}
