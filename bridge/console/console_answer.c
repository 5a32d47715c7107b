#include "bridge/console/console_answer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bridge/base64.h"
#include "bridge/console/console_api.h"
#include "bridge/console/console_assets.h"
#include "bridge/console/console_metrics.h"
#include "bridge/deadline.h"
#include "bridge/log.h"
#include "formats/json_read.h"
#include "formats/memory.h"

#define COOKIE "siembridge_session="

enum { LONGEST_CREDENTIALS = 1024 };

/* ---- replies ---- */

void
console_answer_json(struct console_reply *reply, int status, struct json_node *document,
		    size_t capacity)
{
	struct text text;

	text_start(&text, memory_allocate(capacity), capacity);
	json_write_finish(document, &text);
	reply->status = status;
	reply->content_type = "application/json";
	reply->own = text.bytes;
	reply->body = text_slice(&text);
	if (!text.overflowed)
		return;
	reply->status = 500;
	reply->body = SLICE_LITERAL("{\"error\":\"the answer is too long\"}");
}

void
console_answer_error(struct console_reply *reply, int status, const char *text)
{
	struct json_node *document = json_write_object();

	json_write_text(document, "error", text_of(text));
	console_answer_json(reply, status, document, 8 * sizeof(struct error));
}

static void
answer_text(struct console_reply *reply, int status, const char *text)
{
	reply->status = status;
	reply->content_type = "text/plain; charset=utf-8";
	reply->own = memory_copy_text(text, strlen(text));
	reply->body = text_of(reply->own);
}

void
console_answer_free(struct console_reply *reply)
{
	free(reply->own);
	reply->own = NULL;
}

/* ---- who asks ---- */

/* Without its port. */
static struct slice
name_of_host(struct slice host)
{
	const char *end;

	if (host.length > 0 && host.bytes[0] == '[') {
		end = memchr(host.bytes, ']', host.length);
		if (end == NULL)
			return (struct slice){NULL, 0};
		return (struct slice){host.bytes + 1, (size_t)(end - host.bytes) - 1};
	}
	end = memchr(host.bytes, ':', host.length);
	if (end != NULL)
		host.length = (size_t)(end - host.bytes);
	return host;
}

static bool
is_same_name(struct slice name, const char *other)
{
	return other != NULL && text_slices_equal_any_case(name, text_of(other));
}

/* A name in somebody's DNS can be made to point here; an address cannot. */
static bool
is_known_host(const struct config *config, struct slice host)
{
	char address[INET6_ADDRSTRLEN];
	struct slice name = host.length > 0 ? name_of_host(host) : host;
	struct in6_addr bytes;

	if (name.length == 0)
		return false;
	if (is_same_name(name, "localhost") || is_same_name(name, config->hostname))
		return true;
	for (unsigned i = 0; i < config->console->hosts_count; i++)
		if (is_same_name(name, config->console->hosts[i]))
			return true;
	if (name.length >= sizeof(address))
		return false;
	memcpy(address, name.bytes, name.length);
	address[name.length] = '\0';
	return inet_pton(AF_INET, address, &bytes) == 1 ||
	       inet_pton(AF_INET6, address, &bytes) == 1;
}

/* "https://HOST" of the page that asks: ours or none. */
static bool
is_own_origin(const struct console_request *request)
{
	struct slice origin = request->origin;
	const char *slashes;

	if (request->site.bytes != NULL && !text_slice_is(request->site, "same-origin") &&
	    !text_slice_is(request->site, "none"))
		return false;
	if (origin.bytes == NULL)
		return true;
	slashes = memmem(origin.bytes, origin.length, "://", 3);
	if (slashes == NULL)
		return false;
	origin.length -= (size_t)(slashes + 3 - origin.bytes);
	origin.bytes = slashes + 3;
	return text_slices_equal(origin, request->host);
}

static struct slice
token_of(struct slice cookie)
{
	const char *found = cookie.length > 0
				? memmem(cookie.bytes, cookie.length, COOKIE, sizeof(COOKIE) - 1)
				: NULL;
	struct slice token = {NULL, 0};

	if (found == NULL)
		return token;
	token.bytes = found + sizeof(COOKIE) - 1;
	while (token.bytes + token.length < cookie.bytes + cookie.length &&
	       token.bytes[token.length] != ';')
		token.length++;
	return token;
}

static bool
has_prefix(struct slice value, const char *prefix)
{
	size_t length = strlen(prefix);

	return value.length >= length && strncasecmp(value.bytes, prefix, length) == 0;
}

/* What an Authorization header holds for a password; any user name will do. */
static struct slice
password_of(struct slice authorization, char bytes[LONGEST_CREDENTIALS])
{
	struct slice encoded = {authorization.bytes + 6, authorization.length - 6};
	size_t length;
	const char *colon;

	if (has_prefix(authorization, "Bearer "))
		return (struct slice){authorization.bytes + 7, authorization.length - 7};
	if (!has_prefix(authorization, "Basic ") || encoded.length > LONGEST_CREDENTIALS ||
	    !base64_decode(encoded, (unsigned char *)bytes, LONGEST_CREDENTIALS, &length))
		return (struct slice){"", 0};
	colon = memchr(bytes, ':', length);
	if (colon == NULL)
		return (struct slice){"", 0};
	return (struct slice){colon + 1, length - (size_t)(colon + 1 - bytes)};
}

/* True where the password is right; else the reply says why not. */
static bool
try_password(struct desk *desk, struct slice password, struct console_reply *reply)
{
	switch (session_try(desk->sessions, password, deadline_now())) {
	case SESSION_RIGHT:
		return true;
	case SESSION_LATER:
		console_answer_error(reply, 429, "too many wrong passwords; wait a little");
		reply->retry_after = SESSION_GUESS_PAUSE / 1000;
		return false;
	case SESSION_WRONG:
		break;
	}
	log_warning("console", "a wrong password was tried");
	console_answer_error(reply, 401, "that is not the password");
	return false;
}

static bool
is_signed_in(struct desk *desk, const struct console_request *request, struct console_reply *reply)
{
	char bytes[LONGEST_CREDENTIALS];
	bool right;

	if (!session_has_password(desk->sessions) ||
	    session_is_good(desk->sessions, token_of(request->cookie), deadline_now()))
		return true;
	if (request->authorization.length > 6) {
		right = try_password(desk, password_of(request->authorization, bytes), reply);
		memory_wipe(bytes, sizeof(bytes));
		return right;
	}
	console_answer_error(reply, 401, "sign in with the password of the console");
	return false;
}

/* ---- what is not for the API ---- */

static void
write_cookie(struct desk *desk, struct console_reply *reply, struct slice token, int seconds)
{
	struct text text;

	text_start(&text, reply->cookie, sizeof(reply->cookie));
	text_append_string(&text, COOKIE);
	text_append_slice(&text, token);
	text_append_format(&text, "; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", seconds,
			   desk->config->console->certificate != NULL ? "; Secure" : "");
	text_append_byte(&text, '\0');
}

static void
answer_login(struct desk *desk, const struct console_request *request, struct console_reply *reply)
{
	struct json_value *document = NULL;
	struct slice password = {NULL, 0};
	struct json_member member;
	char token[SESSION_TOKEN];
	struct error error;

	if (!session_has_password(desk->sessions)) {
		console_answer_error(reply, 409, "this console has no password_file");
		return;
	}
	if (!json_read(&document, request->body, &error)) {
		console_answer_error(reply, 400, error.text);
		return;
	}
	if (json_read_first(document, &member) && text_slice_is(member.name, "password"))
		password = json_read_string(member.value);
	if (password.bytes == NULL) {
		console_answer_error(reply, 400, "{\"password\": \"...\"} is expected");
	} else if (try_password(desk, password, reply)) {
		if (!session_begin(desk->sessions, token, deadline_now())) {
			console_answer_error(reply, 503, "no session can be made now");
		} else {
			write_cookie(desk, reply, (struct slice){token, sizeof(token)},
				     SESSION_LIFE / 1000);
			reply->status = 204;
			log_info("console", "somebody signed in");
		}
	}
	json_read_free(document);
}

static void
answer_logout(struct desk *desk, const struct console_request *request, struct console_reply *reply)
{
	session_end(desk->sessions, token_of(request->cookie));
	write_cookie(desk, reply, SLICE_LITERAL(""), 0);
	reply->status = 204;
}

static void
answer_alive(struct desk *desk, const struct console_request *request, struct console_reply *reply)
{
	(void)desk, (void)request;
	answer_text(reply, 200, "alive\n");
}

static void
answer_ready(struct desk *desk, const struct console_request *request, struct console_reply *reply)
{
	struct overview overview;
	struct error error;

	(void)request;
	if (!desk_overview(desk, &overview, &error))
		answer_text(reply, 503, error.text);
	else if (overview.ready)
		answer_text(reply, 200, "ready\n");
	else
		answer_text(reply, 503, overview.reason.text);
}

static void
answer_metrics(struct desk *desk, const struct console_request *request,
	       struct console_reply *reply)
{
	enum { CAPACITY = 1 << 20 };
	struct overview overview;
	struct error error;
	struct text text;

	(void)request;
	if (!desk_overview(desk, &overview, &error)) {
		answer_text(reply, 503, error.text);
		return;
	}
	text_start(&text, memory_allocate(CAPACITY), CAPACITY);
	console_metrics_write(&text, &overview, desk->certificate_expires_at);
	reply->own = text.bytes;
	reply->body = text_slice(&text);
	reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
	reply->status = 200;
}

/* ---- the table ---- */

struct place {
	const char *path; /* with "/" at its end: whatever is below it */
	bool post;
	bool open; /* also to who is not signed in */
	void (*answer)(struct desk *desk, const struct console_request *request,
		       struct console_reply *reply);
};

static const struct place places[] = {
    {"/healthz", false, true, answer_alive},
    {"/readyz", false, true, answer_ready},
    {"/metrics", false, false, answer_metrics},
    {"/api/status", false, false, console_api_status},
    {"/api/events", false, false, console_api_events},
    {"/api/events/", false, false, console_api_event},
    {"/api/dead", false, false, console_api_dead},
    {"/api/replay", true, false, console_api_replay},
    {"/api/login", true, true, answer_login},
    {"/api/logout", true, true, answer_logout},
};

static const struct place *
find_place(struct slice path)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t length = strlen(places[i].path);

		if (places[i].path[length - 1] == '/'
			? path.length > length && memcmp(path.bytes, places[i].path, length) == 0
			: text_slice_is(path, places[i].path))
			return &places[i];
	}
	return NULL;
}

static void
answer_place(struct desk *desk, const struct place *place, const struct console_request *request,
	     struct console_reply *reply)
{
	if (place->post != request->post)
		console_answer_error(reply, 405, place->post ? "use POST" : "use GET");
	else if (place->post && (!is_own_origin(request) ||
				 !has_prefix(request->content_type, "application/json")))
		console_answer_error(
		    reply, 403, "a POST comes from the console's own page, as application/json");
	else if (place->open || is_signed_in(desk, request, reply))
		place->answer(desk, request, reply);
}

void
console_answer(struct desk *desk, const struct console_request *request,
	       struct console_reply *reply)
{
	const struct place *place = find_place(request->path);
	const struct console_asset *asset;

	*reply = (struct console_reply){.status = 404};
	arena_clear(desk->arena);
	if (!is_known_host(desk->config, request->host)) {
		console_answer_error(reply, 421,
				     "this console is not asked for by that name; add it to "
				     "console.hosts, or use an address");
	} else if (place != NULL) {
		answer_place(desk, place, request, reply);
	} else if (!request->post && (asset = console_assets_find(request->path)) != NULL) {
		reply->status = 200;
		reply->content_type = asset->content_type;
		reply->body = console_assets_bytes(asset);
		reply->lasts = true;
	} else {
		console_answer_error(reply, 404, "there is nothing of that name");
	}
}
