#include "bridge/console/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "bridge/secret.h"
#include "formats/memory.h"

enum { SESSIONS = 32, TOKEN_BYTES = SESSION_TOKEN / 2 };

struct session {
	char token[SESSION_TOKEN];
	int64_t used_at; /* 0: free */
};

struct session_book {
	const struct secret *password; /* NULL: none */
	struct session sessions[SESSIONS];
	int64_t guesses_at; /* since when there are that many */
	int guesses;        /* wrong ones that are still allowed */
};

struct session_book *
session_new(const struct secret *password)
{
	struct session_book *book = memory_allocate(sizeof(*book));

	book->password = password;
	book->guesses = SESSION_GUESSES;
	return book;
}

void
session_free(struct session_book *book)
{
	if (book == NULL)
		return;
	OPENSSL_cleanse(book->sessions, sizeof(book->sessions));
	free(book);
}

bool
session_has_password(const struct session_book *book)
{
	return book->password != NULL;
}

/* ---- the password ---- */

/* Digests are equally long, so that the length tells nothing either. */
static bool
is_password(const struct session_book *book, struct slice password)
{
	unsigned char given[SHA256_DIGEST_LENGTH], right[SHA256_DIGEST_LENGTH];
	struct slice secret = secret_bytes(book->password);

	(void)SHA256((const unsigned char *)password.bytes, password.length, given);
	(void)SHA256((const unsigned char *)secret.bytes, secret.length, right);
	return CRYPTO_memcmp(given, right, sizeof(right)) == 0;
}

static void
refill(struct session_book *book, int64_t now)
{
	int64_t more = (now - book->guesses_at) / SESSION_GUESS_PAUSE;

	if (book->guesses + more >= SESSION_GUESSES) {
		book->guesses = SESSION_GUESSES;
		book->guesses_at = now;
	} else if (more > 0) {
		book->guesses += (int)more;
		book->guesses_at += more * SESSION_GUESS_PAUSE;
	}
}

enum session_result
session_try(struct session_book *book, struct slice password, int64_t now)
{
	refill(book, now);
	if (book->password == NULL)
		return SESSION_WRONG;
	if (book->guesses == 0)
		return SESSION_LATER;
	if (is_password(book, password))
		return SESSION_RIGHT;
	book->guesses--;
	return SESSION_WRONG;
}

/* ---- sessions ---- */

static bool
is_alive(const struct session *session, int64_t now)
{
	return session->used_at != 0 && now - session->used_at < SESSION_LIFE;
}

bool
session_begin(struct session_book *book, char token[SESSION_TOKEN], int64_t now)
{
	static const char digits[] = "0123456789abcdef";
	struct session *session = &book->sessions[0];
	unsigned char bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		token[2 * i] = digits[bytes[i] >> 4];
		token[2 * i + 1] = digits[bytes[i] & 15];
	}
	for (size_t i = 1; i < SESSIONS; i++)
		if (book->sessions[i].used_at < session->used_at)
			session = &book->sessions[i];
	memcpy(session->token, token, SESSION_TOKEN);
	session->used_at = now;
	return true;
}

/* All are looked at, whichever it is. */
static struct session *
find(struct session_book *book, struct slice token, int64_t now)
{
	struct session *found = NULL;

	if (token.length != SESSION_TOKEN)
		return NULL;
	for (size_t i = 0; i < SESSIONS; i++)
		if (CRYPTO_memcmp(book->sessions[i].token, token.bytes, SESSION_TOKEN) == 0 &&
		    is_alive(&book->sessions[i], now))
			found = &book->sessions[i];
	return found;
}

bool
session_is_good(struct session_book *book, struct slice token, int64_t now)
{
	struct session *session = find(book, token, now);

	if (session != NULL)
		session->used_at = now;
	return session != NULL;
}

void
session_end(struct session_book *book, struct slice token)
{
	for (size_t i = 0; i < SESSIONS; i++)
		if (token.length == SESSION_TOKEN &&
		    CRYPTO_memcmp(book->sessions[i].token, token.bytes, SESSION_TOKEN) == 0)
			book->sessions[i].used_at = 0;
}
