/*
 * Files and directories that are made and were not there before: nothing is ever
 * overwritten, and what was made can be taken back as a whole.
 *
 * As root they belong to `owner`, who will run the daemon.
 */
#ifndef INIT_FILES_H
#define INIT_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "formats/error.h"
#include "formats/text.h"

struct init_files;

/* `owner` is the name of a user, who need not be there. */
struct init_files *init_files_new(const char *owner);
void init_files_free(struct init_files *files); /* NULL is fine; what was made stays */

/* False where anything stands at that path already, and the error names it. */
MUST_CHECK bool init_files_is_free(const char *path, struct error *error);

/* A directory that is there already stays as it is. */
MUST_CHECK bool init_files_directory(struct init_files *files, const char *path, mode_t mode,
				     struct error *error);

/* On disk when it returns true. */
MUST_CHECK bool init_files_write(struct init_files *files, const char *path, mode_t mode,
				 struct slice content, struct error *error);

/*
 * From here on this process may do what `owner` may, so that what it finds is what the daemon
 * will find; and it is root again.  Neither does anything where nothing is handed over.
 */
MUST_CHECK bool init_files_act_as_owner(const struct init_files *files, struct error *error);
MUST_CHECK bool init_files_act_as_root(const struct init_files *files, struct error *error);

/* Removes what was made here, last first. */
void init_files_undo(struct init_files *files);

#endif
