/*
 * Single values of the configuration: what is written becomes a number, a word's
 * meaning, an absolute path; or the error says what is allowed, with its line.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "bridge/config_internal.h"
#include "bridge/config_profile.h"

enum { CONFIG_VALUE_MOST_A_SECOND = 1000000 /* the highest rate */ };

/* The mapping whose values are being checked.  All pointers are borrowed. */
struct config_place {
	const char *file;
	const char *directory;        /* where relative paths start */
	struct config *config;        /* takes note of the paths; NULL: nobody does */
	struct error *error;          /* filled by whoever returns false */
	char prefix[CONFIG_KEY_PATH]; /* key path of the mapping: "sources[0]"; "": the root */
};

/* The place of `key` of the mapping; of its entry `index` where it is not negative. */
struct config_place config_value_place(const struct config_place *place, const char *key,
				       int index);

/*
 * Completes place->error, whose text says what is wrong, with the file, the line
 * and the key ("": the mapping itself).  Returns false.
 */
bool config_value_wrong(const struct config_place *place, const char *key);

/* A word and what it stands for. */
struct config_word {
	const char *name;
	int value;
};

/* Finds the word in the table; false: unknown, and the error names those there are. */
MUST_CHECK bool config_value_word(const struct config_place *place, const char *key,
				  const char *text, const struct config_word *words, size_t count,
				  int *value);

/* A size or a duration: everything about it. */
struct config_quantity {
	const char *key;
	const char *text; /* as written; NULL: the default */
	const char *fallback, *minimum, *maximum;
	uint64_t *bytes;       /* a size */
	int64_t *milliseconds; /* or a duration */
};

MUST_CHECK bool config_value_quantities(const struct config_place *place,
					const struct config_quantity *rows, size_t count);

/* A whole number of minimum..maximum; NULL as text: the default. */
MUST_CHECK bool config_value_number(const struct config_place *place, const char *key,
				    const char *text, uint32_t fallback, uint32_t minimum,
				    uint32_t maximum, uint32_t *number);

/* A name: 1..64 of [A-Za-z0-9._-], the first one a letter or digit. */
MUST_CHECK bool config_value_name(const struct config_place *place, const char *key,
				  const char *text);

/* true or false; NULL as text: the default. */
MUST_CHECK bool config_value_switch(const struct config_place *place, const char *key,
				    const char *text, bool fallback, bool *value);

/* At most `longest` bytes of printable ASCII without a space; NULL is fine. */
MUST_CHECK bool config_value_printable(const struct config_place *place, const char *key,
				       const char *text, size_t longest);

/* Globs of event types. */
MUST_CHECK bool config_value_globs(const struct config_place *place, const char *key,
				   char *const *globs, unsigned count);

/* As above, at the key `events`; none written: one that matches all. */
MUST_CHECK bool config_value_events(const struct config_place *place, char ***events,
				    unsigned *count);

MUST_CHECK bool config_value_address(const struct config_place *place, const char *key,
				     const char *text, bool host_required);

/* Makes *path absolute in place, and puts it down among config->named_paths. */
MUST_CHECK bool config_value_path(const struct config_place *place, const char *key, char **path);

/* The parts of config_validate() that are about config->sources[index], destinations[index]. */
MUST_CHECK bool config_validate_source(const struct config_place *root, struct config *config,
				       unsigned index);
/* ... about its signature, secrets, tolerance and challenge, at the place of the source. */
MUST_CHECK bool config_validate_signature(const struct config_place *place,
					  struct config_source *source);
/* ... about what it takes beside single plain bodies: encodings, origins, batch. */
MUST_CHECK bool config_validate_intake(const struct config_place *place,
				       struct config_source *source);
/* ... about its `poll`. */
MUST_CHECK bool config_validate_poll(const struct config_place *source, struct config_poll *poll);
/* ... about how the bodies of a source are read, which needs the vocabulary before it. */
MUST_CHECK bool config_validate_reading(const struct config_place *place,
					const struct config *config, struct config_source *source);
MUST_CHECK bool config_validate_reading_vocabulary(const struct config_place *root,
						   struct config *config);
MUST_CHECK bool config_validate_destination(const struct config_place *root, struct config *config,
					    unsigned index);

/* ... about which events go to config->destinations[index], at its place. */
MUST_CHECK bool config_validate_route(const struct config_place *place, const struct config *config,
				      struct config_destination *destination);

/* ... about its `email`. */
MUST_CHECK bool config_validate_email(const struct config_place *destination,
				      struct config_email *email);

/* ... about its `splunk_hec`. */
MUST_CHECK bool config_validate_splunk_hec(const struct config_place *destination,
					   struct config_splunk_hec *hec);

/* ... about the one of its vendors that is there. */
MUST_CHECK bool config_validate_http(const struct config_place *destination,
				     struct config_http *http);

/* ... about `console`. */
MUST_CHECK bool config_validate_console(const struct config_place *root,
					struct config_console *console);

/* And that which is about the `syslog` of that destination. */
MUST_CHECK bool config_validate_syslog(const struct config_place *destination,
				       struct config_syslog *syslog,
				       const struct config_profile *profile);

/*
 * ... about where to: `alone`, under the key `one` ("an" or "a" before it is `article`),
 * or several under the key `many`, and not both.
 */
MUST_CHECK bool config_validate_several_where(const struct config_place *place,
					      const struct config_several *several,
					      const char *alone, const char *article,
					      const char *one, const char *many);

/*
 * ... about how several addresses are used, at the place of the mapping that has them;
 * `what` calls them "several addresses".
 */
MUST_CHECK bool config_validate_several(const struct config_place *place,
					struct config_several *several, const char *what);

/* ... about how its events are written: fills destination->format and ->options. */
MUST_CHECK bool config_validate_format(const struct config_place *place,
				       const struct config *config,
				       struct config_destination *destination,
				       const struct config_profile *profile);

#endif
