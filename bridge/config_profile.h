/*
 * What each collector wants, in one table: the defaults of a destination that names
 * it.  Whatever is written in the file counts before.
 */
#ifndef CONFIG_PROFILE_H
#define CONFIG_PROFILE_H

#include "formats/format.h"

/* As one would write it in the file. */
struct config_profile {
	const char *name;
	const char *format;
	const char *header;
	const char *framing;          /* over tcp; unix-stream has its own default */
	const char *max_message_size; /* but over udp, whose datagrams hold less */
	const char *facility;
	const char *bom;
	const char *cef_time;
	const char *leef_delimiter;
	const char *cee;
};

/* The row of that name, or NULL; for NULL that of a destination that names none. */
const struct config_profile *config_profile_find(const char *name);

/* The i-th name, or NULL behind the last. */
const char *config_profile_at(size_t i);

/* format_default_options(), and what the row says of them. */
void config_profile_options(const struct config_profile *profile, struct format_options *options);

#endif
