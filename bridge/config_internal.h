/*
 * What the files of the configuration share with each other and with nobody else.
 *
 * A key path names a place in the file: "destinations[2].syslog.address".
 */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include "bridge/config.h"
#include "formats/text.h"

enum {
	CONFIG_FILE_LIMIT = 1024 * 1024, /* bytes */
	CONFIG_KEY_PATH = 256,           /* bytes of a key path with its NUL */
};

/* Gives the bytes of the file, freed with free(). */
MUST_CHECK bool config_read_file(const char *file, char **bytes, size_t *length,
				 struct error *error);

/* As above, or those of the snapshot that stands for it (config_snapshot.h). */
MUST_CHECK bool config_read_text(const char *file, char **bytes, size_t *length,
				 struct error *error);

/*
 * Refuses what is no YAML, and of YAML what a configuration has no use for: more
 * than one document, anchors and aliases (which can make 1 MiB into a gigabyte),
 * tags, control characters, keys that are not words.
 */
MUST_CHECK bool config_locate_refuse(const char *file, struct slice text, struct error *error);

/*
 * Writes the file again with every key in the one type that the schema gives it: a
 * secret's path as {file: PATH}, settings under `signature` beside it.  After
 * config_locate_refuse().  Gives *bytes, freed with free().
 */
MUST_CHECK bool config_rewrite(const char *file, struct slice text, char **bytes, size_t *length,
			       struct error *error);

/*
 * Puts "FILE:LINE: " in front of the error: the line of the key path, or of the
 * nearest thing around it that is written there.  Returns false.
 */
bool config_locate_prefix(struct error *error, const char *file, const char *key_path);

/*
 * Checks what a schema cannot say and fills the values, the defaults, the absolute
 * paths and the options.
 */
MUST_CHECK bool config_validate(struct config *config, struct error *error);

#endif
