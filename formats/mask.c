/*
 * A value is gone through once; most bytes are passed over by one look into a
 * table of the bytes that something can begin with.  What is found is replaced by
 * something shorter, so the copy needs no more room than the value.
 */
#include "formats/mask.h"

#include <string.h>
#include <strings.h>

enum {
	SHORTEST = 14,     /* nothing shorter is key material */
	LAST = 4,          /* what stays of its end */
	RANDOM_NAMED = 20, /* bytes that look random, behind "token=" */
	RANDOM_HEX = 32,
	RANDOM_ALONE = 32, /* the same, without a name in front */
	ID_PREFIX = 8,     /* "member_" of member_01J8... */
	ID_LENGTH = 27,    /* a KSUID; a ULID has 26 */
	WINDOW = 512,      /* how far is looked before it is known that something is there */
};

static const char ellipsis[] = "\xE2\x80\xA6";

/* Whose keys begin how, and how many bytes of what are behind that at least. */
static const struct pattern {
	const char *prefix;
	size_t least;
	const char *more; /* beside letters and digits */
} patterns[] = {
    {"sk-", 16, "_-"},       /* OpenAI, Anthropic, most gateways */
    {"sk_", 16, "_-"},       /* Stripe */
    {"rk_", 16, "_-"},       /* Stripe, restricted */
    {"whsec_", 16, "+/=_-"}, /* Standard Webhooks, Svix, Stripe */
    {"whsk_", 16, "+/=_-"},  /* Standard Webhooks, ed25519 */
    {"ghp_", 20, "_"},       /* GitHub, five kinds */
    {"gho_", 20, "_"},
    {"ghu_", 20, "_"},
    {"ghs_", 20, "_"},
    {"ghr_", 20, "_"},
    {"github_pat_", 20, "_"},
    {"glpat-", 16, "_-"}, /* GitLab */
    {"AKIA", 16, ""},     /* AWS */
    {"ASIA", 16, ""},
    {"AIza", 30, "_-"}, /* Google */
    {"xoxa-", 10, "-"}, /* Slack, five kinds */
    {"xoxb-", 10, "-"},
    {"xoxp-", 10, "-"},
    {"xoxr-", 10, "-"},
    {"xoxs-", 10, "-"},
    {"xapp-", 10, "-"},
    {"npm_", 30, ""},
    {"hf_", 30, ""},            /* Hugging Face */
    {"shpat_", 20, ""},         /* Shopify */
    {"SG.", 30, "._-"},         /* SendGrid */
    {"xai-", 20, "_-"},         /* xAI */
    {"gsk_", 20, ""},           /* Groq */
    {"r8_", 20, ""},            /* Replicate */
    {"pplx-", 20, ""},          /* Perplexity */
    {"nvapi-", 20, "_-"},       /* NVIDIA */
    {"glsa_", 20, "_"},         /* Grafana */
    {"dop_v1_", 32, ""},        /* DigitalOcean */
    {"pypi-", 20, "_-"},        /* PyPI */
    {"ya29.", 20, "_-"},        /* Google, OAuth */
    {"Bearer ", 20, "._~+/=-"}, /* RFC 6750 */
};

/* First bytes of the patterns, of a JWT and of PEM; and what follows a name. */
static const bool begins[256] = {
    ['s'] = true, ['r'] = true, ['w'] = true, ['g'] = true, ['A'] = true, ['x'] = true,
    ['n'] = true, ['h'] = true, ['S'] = true, ['B'] = true, ['p'] = true, ['d'] = true,
    ['y'] = true, ['e'] = true, ['-'] = true, ['='] = true, [':'] = true,
};

static const struct mask_settings none;

/* Found: value[start..end) becomes its first `keep` bytes, "…" and its last `last`. */
struct finding {
	size_t start, end;
	size_t keep, last;
};

static bool
is_alphanumeric(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9');
}

/*
 * Its first bytes, up to WINDOW behind `at`: what turns out to be nothing must not
 * cost a look at all that follows, for each place where it might have begun.
 */
static struct slice
near(struct slice value, size_t at)
{
	if (value.length - at > WINDOW)
		value.length = at + WINDOW;
	return value;
}

static bool
is_quote_or_space(char byte)
{
	return byte == '"' || byte == '\'' || byte == ' ';
}

/* How many bytes from `at` are letters, digits or of `more`. */
static size_t
count_run(struct slice value, size_t at, const char *more)
{
	size_t count = 0;

	while (at + count < value.length) {
		char byte = value.bytes[at + count];

		if (!is_alphanumeric(byte) && (byte == '\0' || strchr(more, byte) == NULL))
			break;
		count++;
	}
	return count;
}

static bool
begins_with(struct slice value, size_t at, const char *prefix)
{
	for (; *prefix != '\0'; prefix++, at++)
		if (at == value.length || value.bytes[at] != *prefix)
			return false;
	return true;
}

/* Position of `word` at or behind `at`, or the length of the value. */
static size_t
find_word(struct slice value, size_t at, const char *word)
{
	const char *found = at < value.length
				? memmem(value.bytes + at, value.length - at, word, strlen(word))
				: NULL;

	return found != NULL ? (size_t)(found - value.bytes) : value.length;
}

/* The same for the user's own prefixes. */
static bool
find_own(struct slice value, size_t at, const struct mask_settings *settings,
	 struct finding *finding)
{
	enum { LEAST = 16 };

	for (size_t i = 0; i < settings->prefix_count; i++) {
		const char *prefix = settings->prefixes[i];
		size_t length, rest;

		if (value.bytes[at] != prefix[0] || !begins_with(value, at, prefix))
			continue;
		length = strlen(prefix);
		rest = count_run(value, at + length, "_-");
		if (rest < LEAST)
			continue;
		*finding = (struct finding){at, at + length + rest, length, LAST};
		return true;
	}
	return false;
}

static bool
find_pattern(struct slice value, size_t at, struct finding *finding)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const struct pattern *pattern = &patterns[i];
		size_t prefix, rest;

		if (!begins_with(value, at, pattern->prefix))
			continue;
		prefix = strlen(pattern->prefix);
		rest = count_run(value, at + prefix, pattern->more);
		if (rest < pattern->least)
			continue;
		*finding = (struct finding){at, at + prefix + rest, prefix, LAST};
		return true;
	}
	return false;
}

/* RFC 7519: "eyJ" is {" in base64, then two or three parts with dots between them. */
static bool
find_web_token(struct slice value, size_t at, struct finding *finding)
{
	enum { PREFIX = 3, PART = 8 };
	size_t first, second;

	if (!begins_with(value, at, "eyJ"))
		return false;
	first = count_run(near(value, at), at, "_-");
	if (first < PART || at + first >= value.length || value.bytes[at + first] != '.')
		return false;
	second = count_run(value, at + first + 1, "_-.");
	if (second < PART)
		return false;
	*finding = (struct finding){at, at + first + 1 + second, PREFIX, LAST};
	return true;
}

/* RFC 7468: up to the end of the block, or of the text. */
static bool
find_private_key(struct slice value, size_t at, struct finding *finding)
{
	static const char dashes[] = "-----";
	size_t label = at + strlen("-----BEGIN "), behind_label, end;
	struct slice head;

	if (!begins_with(value, at, "-----BEGIN "))
		return false;
	head = near(value, at);
	behind_label = find_word(head, label, dashes);
	if (find_word(head, label, "PRIVATE KEY") >= behind_label || behind_label == head.length)
		return false;
	behind_label += strlen(dashes);
	end = find_word(value, behind_label, "-----END ");
	if (end < value.length) {
		end = find_word(value, end + strlen("-----END "), dashes);
		end = end < value.length ? end + strlen(dashes) : end;
	}
	if (end - behind_label < sizeof(ellipsis))
		return false;
	*finding = (struct finding){at, end, behind_label - at, 0};
	return true;
}

/* "key_" of key_01J8...: an id says in lower case what it is of. */
static size_t
id_prefix(struct slice token)
{
	for (size_t i = 0; i < token.length && i <= ID_PREFIX; i++) {
		if (token.bytes[i] == '_')
			return i > 0 ? i + 1 : 0;
		if (token.bytes[i] < 'a' || token.bytes[i] > 'z')
			return 0;
	}
	return 0;
}

static bool
is_uuid(struct slice token)
{
	return token.length == 36 && token.bytes[8] == '-' && token.bytes[13] == '-' &&
	       token.bytes[18] == '-' && token.bytes[23] == '-';
}

/* Lower case, upper case and digits; or two of them, and long. */
static bool
looks_random(struct slice token, bool mixed_only)
{
	bool lower = false, upper = false, digit = false;

	if (is_uuid(token) ||
	    (id_prefix(token) > 0 && token.length - id_prefix(token) <= ID_LENGTH))
		return false;
	for (size_t i = 0; i < token.length; i++) {
		lower = lower || (token.bytes[i] >= 'a' && token.bytes[i] <= 'z');
		upper = upper || (token.bytes[i] >= 'A' && token.bytes[i] <= 'Z');
		digit = digit || (token.bytes[i] >= '0' && token.bytes[i] <= '9');
	}
	if (lower && upper && digit)
		return true;
	return !mixed_only && token.length >= RANDOM_HEX && digit && (lower || upper);
}

/* In any case. */
static bool
ends_with(struct slice value, size_t at, const char *name)
{
	size_t length = strlen(name);

	return at >= length && strncasecmp(value.bytes + at - length, name, length) == 0;
}

/* Does "key", "secret" ... end just before `at`, quotes and spaces aside? */
static bool
is_behind_name(struct slice value, size_t at, const struct mask_settings *settings)
{
	static const char *const names[] = {"key", "secret", "token", "password"};

	while (at > 0 && is_quote_or_space(value.bytes[at - 1]))
		at--;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ends_with(value, at, names[i]))
			return true;
	for (size_t i = 0; i < settings->name_count; i++)
		if (ends_with(value, at, settings->names[i]))
			return true;
	return false;
}

/* At the "=" or ":" of "token = abc". */
static bool
find_named(struct slice value, size_t at, const struct mask_settings *settings,
	   struct finding *finding)
{
	static const char more[] = "+/=_-";
	size_t start = at + 1, length;

	if (!is_behind_name(value, at, settings))
		return false;
	while (start < value.length && is_quote_or_space(value.bytes[start]))
		start++;
	length = count_run(near(value, start), start, more);
	if (length < RANDOM_NAMED ||
	    !looks_random((struct slice){value.bytes + start, length}, false))
		return false;
	*finding = (struct finding){start, start + count_run(value, start, more), 0, LAST};
	return true;
}

static bool
find_at(struct slice value, size_t at, const struct mask_settings *settings,
	struct finding *finding)
{
	switch (value.bytes[at]) {
	case '=':
	case ':':
		return find_named(value, at, settings, finding);
	case '-':
		return find_private_key(value, at, finding);
	case 'e':
		return find_web_token(value, at, finding);
	default:
		return find_pattern(value, at, finding);
	}
}

static bool
find_next(struct slice value, size_t from, const struct mask_settings *settings,
	  struct finding *finding)
{
	for (size_t i = from; i + 1 < value.length; i++) {
		bool known = begins[(unsigned char)value.bytes[i]];

		if (!known && settings->prefix_count == 0)
			continue;
		/* within a word nothing begins: "risk-free" holds no key */
		if (i > 0 && is_alphanumeric(value.bytes[i - 1]) && is_alphanumeric(value.bytes[i]))
			continue;
		if ((known && find_at(value, i, settings, finding)) ||
		    find_own(value, i, settings, finding))
			return true;
	}
	return false;
}

static void
append_finding(struct text *text, struct slice value, const struct finding *finding)
{
	text_append(text, value.bytes + finding->start, finding->keep);
	text_append_string(text, ellipsis);
	text_append(text, value.bytes + finding->end - finding->last, finding->last);
}

struct slice
mask_text(struct slice value, const struct mask_settings *settings, struct arena *arena)
{
	struct finding finding;
	struct text text;
	size_t done = 0;

	if (settings == NULL)
		settings = &none;
	if (value.length < SHORTEST || !find_next(value, 0, settings, &finding))
		return value;
	text_start(&text, arena_allocate(arena, value.length), value.length);
	do {
		text_append(&text, value.bytes + done, finding.start - done);
		append_finding(&text, value, &finding);
		done = finding.end;
	} while (find_next(value, done, settings, &finding));
	text_append(&text, value.bytes + done, value.length - done);
	return text_slice(&text);
}

struct slice
mask_key(struct slice value, const struct mask_settings *settings, struct arena *arena)
{
	struct finding whole = {0, value.length, 0, LAST};
	struct text text;

	if (value.length < RANDOM_ALONE || count_run(value, 0, "+/=_-") < value.length ||
	    !looks_random(value, true))
		return mask_text(value, settings, arena);
	text_start(&text, arena_allocate(arena, value.length), value.length);
	append_finding(&text, value, &whole);
	return text_slice(&text);
}
