/*
 * The options of a command line: a row for each, read into the caller's variables.
 *
 *   -c FILE   --config FILE   --config=FILE   --verbose   --   and words
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/commands/commands.h"

#define OPTIONS_CONFIG_DEFAULT "/etc/siembridge/siembridge.yaml"

enum { OPTIONS_WRONG = 2 }; /* exit status of a command line that makes no sense */

/* One option; exactly one of the three pointers is set. */
struct options_row {
	const char *name; /* "config", for --config */
	char letter;      /* 'c', for -c; 0: none */
	bool *flag;       /* takes no value, becomes true */
	const char **text;
	uint64_t *number; /* digits, at most `maximum` */
	uint64_t maximum;
};

/*
 * Reads argv[1..]; what is no option goes to words[], of which there are at most
 * `most`, and *word_count.  Texts and words are borrowed from argv.  False: said
 * on stderr what is wrong, and the command returns OPTIONS_WRONG.
 */
MUST_CHECK bool options_read(const struct options_row *rows, size_t count, int argc, char **argv,
			     const char **words, size_t most, size_t *word_count);

/* Says on stderr "siembridge NAME: problem", as options_read() does; returns false. */
bool options_refuse(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
