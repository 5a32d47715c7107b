/*
 * Who may see and do: one password, sessions that live in a cookie and in this
 * process's memory, and a limit on guesses.
 *
 * Guesses are limited over all peers together: behind a proxy they look like one.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/text.h"

struct secret;
struct session_book;

enum {
	SESSION_TOKEN = 64,              /* digits of a token */
	SESSION_LIFE = 12 * 3600 * 1000, /* milliseconds since it was last used */
	SESSION_GUESSES = 8,             /* wrong ones in a row, before each next has to wait */
	SESSION_GUESS_PAUSE = 5000,      /* milliseconds until there is one more */
};

/* Gives *book, freed with session_free().  Borrows the password; NULL: none is set. */
struct session_book *session_new(const struct secret *password);
void session_free(struct session_book *book);

/* Is there a password at all? */
bool session_has_password(const struct session_book *book);

enum session_result { SESSION_RIGHT, SESSION_WRONG, SESSION_LATER };

/* Is it the password?  Constant in time.  SESSION_LATER: not looked at, too many were wrong. */
enum session_result session_try(struct session_book *book, struct slice password, int64_t now);

/* Begins one; `token` gets SESSION_TOKEN digits.  The longest unused one makes room.  False: there
 * is no randomness to be had. */
bool session_begin(struct session_book *book, char token[SESSION_TOKEN], int64_t now);

/* Is it one?  Then it lives on. */
bool session_is_good(struct session_book *book, struct slice token, int64_t now);
void session_end(struct session_book *book, struct slice token);

#endif
