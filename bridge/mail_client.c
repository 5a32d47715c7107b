/*
 * What a reply is about decides what it means.  curl's result says which command was
 * refused, and the replies that go by say whether the message itself was on its way:
 * after 354 a 5yz is about this message; before that it is about the login, the sender
 * or a recipient, which stand in the configuration, so no other message would fare
 * better.  The one exception is 552 to MAIL, which is told the size.
 */
#include "bridge/mail_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "bridge/deadline.h"
#include "formats/memory.h"

enum {
	STOP_GRACE = 1000, /* milliseconds for a message under way when we are to end */
	LONGEST_REPLY = 200,
};

struct mail_client {
	CURL *curl;
	const char *server;
	char problem[CURL_ERROR_SIZE]; /* written by curl */
	char reply[LONGEST_REPLY];     /* the last no of the server, NUL-terminated */
	bool data_begun;               /* 354 has come */
	struct slice left;             /* of the message, to be taken by curl */
	const atomic_bool *stopping;
	int64_t stop_at; /* deadline_now() at which to give up; 0: nobody stops */
};

/* ---- called by curl ---- */

static size_t
on_read(char *buffer, size_t size, size_t count, void *context)
{
	struct slice *left = context;
	size_t length = left->length < size * count ? left->length : size * count;

	if (length > 0)
		memcpy(buffer, left->bytes, length);
	left->bytes += length;
	left->length -= length;
	return length;
}

/* A line that the server said: its words are what an operator can act on. */
static size_t
on_reply(char *bytes, size_t size, size_t count, void *context)
{
	struct mail_client *client = context;
	size_t length = size * count;
	struct text text;

	if (length >= 4 && memcmp(bytes, "354", 3) == 0)
		client->data_begun = true;
	if (length == 0 || (bytes[0] != '4' && bytes[0] != '5'))
		return length;
	text_start(&text, client->reply, sizeof(client->reply) - 1);
	for (size_t i = 0; i < length && text.length < text.capacity; i++)
		if (bytes[i] >= ' ' && bytes[i] <= '~')
			text_append_byte(&text, bytes[i]);
	client->reply[text.length] = '\0';
	return length;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes, (void)context;
	return size * count;
}

/* At least once a second; anything but 0 ends the message. */
static int
on_progress(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	struct mail_client *client = context;

	(void)down_all, (void)down, (void)up_all, (void)up;
	if (client->stopping == NULL || !atomic_load(client->stopping))
		return 0;
	if (client->stop_at == 0)
		client->stop_at = deadline_now() + STOP_GRACE;
	return deadline_now() >= client->stop_at;
}

/* ---- a client ---- */

/* A copy with its NUL, for curl, which keeps one of its own. */
static CURLcode
set_slice(CURL *curl, CURLoption option, struct slice value)
{
	char *copy = memory_copy_text(value.bytes, value.length);
	CURLcode code = curl_easy_setopt(curl, option, copy);

	memory_wipe(copy, value.length);
	free(copy);
	return code;
}

static CURLcode
set_url(CURL *curl, const struct mail_client_settings *settings)
{
	const char *scheme = settings->security == MAIL_CLIENT_TLS ? "smtps" : "smtp";
	char bytes[600];
	struct text url;

	text_start(&url, bytes, sizeof(bytes));
	text_append_format(&url, "%s://%s/%s", scheme, settings->server,
			   settings->helo != NULL ? settings->helo : "");
	return url.overflowed ? CURLE_URL_MALFORMAT
			      : set_slice(curl, CURLOPT_URL, text_slice(&url));
}

static CURLcode
set_numbers(CURL *curl, const struct mail_client_settings *settings)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
	    {CURLOPT_UPLOAD, 1},
	    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
	    {CURLOPT_NOSIGNAL, 1},
	    {CURLOPT_VERBOSE, 0},
	    {CURLOPT_NOPROGRESS, 0}, /* on_progress() is called */
	    {CURLOPT_TCP_KEEPALIVE, 1},
	    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	    {CURLOPT_SSL_VERIFYPEER, 1},
	    {CURLOPT_SSL_VERIFYHOST, 2},
	    {CURLOPT_USE_SSL,
	     settings->security == MAIL_CLIENT_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL},
	    {CURLOPT_TIMEOUT_MS, (long)settings->timeout},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && code == CURLE_OK; i++)
		code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
	return code;
}

static CURLcode
set_texts(CURL *curl, const struct mail_client_settings *settings)
{
	/* An empty proxy is none, whatever the environment says. */
	CURLcode code = curl_easy_setopt(curl, CURLOPT_PROXY, "");

	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
					settings->security == MAIL_CLIENT_TLS ? "smtps" : "smtp");
	if (code == CURLE_OK)
		code = set_url(curl, settings);
	if (code == CURLE_OK && settings->ca_file != NULL)
		code = curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
	if (code == CURLE_OK && settings->username != NULL)
		code = curl_easy_setopt(curl, CURLOPT_USERNAME, settings->username);
	if (code == CURLE_OK && settings->username != NULL)
		code = set_slice(curl, CURLOPT_PASSWORD, settings->password);
	return code;
}

static CURLcode
set_callbacks(struct mail_client *client)
{
	CURL *curl = client->curl;
	CURLcode code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->problem);

	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_READDATA, &client->left);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
	return code;
}

bool
mail_client_new(struct mail_client **client, const struct mail_client_settings *settings,
		struct error *error)
{
	struct mail_client *made = memory_allocate(sizeof(*made));
	CURLcode code;

	made->server = settings->server;
	made->stopping = settings->stopping;
	made->curl = curl_easy_init();
	if (made->curl == NULL) {
		free(made);
		return error_set(error, "libcurl cannot be started");
	}
	code = set_numbers(made->curl, settings);
	if (code == CURLE_OK)
		code = set_texts(made->curl, settings);
	if (code == CURLE_OK)
		code = set_callbacks(made);
	if (code != CURLE_OK) {
		error_set(error, "libcurl cannot be set up: %s", curl_easy_strerror(code));
		mail_client_free(made);
		return false;
	}
	*client = made;
	return true;
}

void
mail_client_free(struct mail_client *client)
{
	if (client == NULL)
		return;
	curl_easy_cleanup(client->curl);
	free(client);
}

/* ---- a message ---- */

static void
append_recipient(struct curl_slist **list, const char *address)
{
	struct curl_slist *longer = curl_slist_append(*list, address);

	if (longer == NULL)
		memory_panic("no memory for a list of recipients");
	*list = longer;
}

static CURLcode
set_envelope(struct mail_client *client, const struct mail_client_envelope *envelope, size_t length,
	     struct curl_slist **recipients)
{
	CURLcode code = set_slice(client->curl, CURLOPT_MAIL_FROM, envelope->from);

	for (size_t i = 0; i < envelope->to_count; i++)
		append_recipient(recipients, envelope->to[i]);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_MAIL_RCPT, *recipients);
	if (code == CURLE_OK)
		code = curl_easy_setopt(client->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)length);
	return code;
}

/* The connection broke, whatever was under way on it. */
static bool
has_broken(const struct mail_client *client)
{
	long code = 0;

	return curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &code) == CURLE_OK &&
	       (code == ECONNRESET || code == EPIPE || code == ETIMEDOUT);
}

/* Results of curl's that no other message and no waiting would change. */
static bool
is_setting(const struct mail_client *client, CURLcode code)
{
	switch (code) {
	case CURLE_SSL_CONNECT_ERROR:
		return !has_broken(client);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_USE_SSL_FAILED:
	case CURLE_LOGIN_DENIED:
	case CURLE_REMOTE_ACCESS_DENIED:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return true;
	default:
		return false;
	}
}

static enum mail_client_result
result_of(const struct mail_client *client, CURLcode code)
{
	long reply = 0;

	if (curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &reply) != CURLE_OK)
		reply = 0;
	if (reply / 100 == 4)
		return MAIL_CLIENT_LATER;
	if (is_setting(client, code))
		return MAIL_CLIENT_WRONG;
	if (reply / 100 != 5)
		return MAIL_CLIENT_LATER;
	if (client->data_begun || strcmp(client->problem, "MAIL failed: 552") == 0)
		return MAIL_CLIENT_REFUSED;
	return MAIL_CLIENT_WRONG;
}

enum mail_client_result
mail_client_send(struct mail_client *client, const struct mail_client_envelope *envelope,
		 struct slice message, struct error *error)
{
	struct curl_slist *recipients = NULL;
	enum mail_client_result result = MAIL_CLIENT_ACCEPTED;
	CURLcode code;

	client->problem[0] = '\0';
	client->reply[0] = '\0';
	client->data_begun = false;
	client->stop_at = 0;
	client->left = message;
	code = set_envelope(client, envelope, message.length, &recipients);
	if (code == CURLE_OK)
		code = curl_easy_perform(client->curl);
	if (code != CURLE_OK) {
		result = result_of(client, code);
		error_set(error, "%s: %s%s%s", client->server,
			  client->problem[0] != '\0' ? client->problem : curl_easy_strerror(code),
			  client->reply[0] != '\0' ? "; the server said: " : "", client->reply);
	}
	curl_slist_free_all(recipients);
	return result;
}
