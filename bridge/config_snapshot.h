/*
 * The text of the configuration as it was when it was checked, in memory that cannot
 * be changed and that children inherit: whoever edits the file meanwhile changes
 * nothing before the next reload, which takes all of it or nothing.
 */
#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

#include "formats/text.h"

/* Gives the descriptor of a sealed copy of the file, the caller's to close. */
MUST_CHECK bool config_snapshot_take(const char *path, int *descriptor, struct error *error);

/*
 * From now on config_read() and config_locate() of that path, borrowed for good, read
 * what the descriptor holds; -1: the file again.  Not while another thread reads.
 */
void config_snapshot_use(const char *path, int descriptor);

/* The descriptor to be read in place of that path; -1: the file itself. */
int config_snapshot_of(const char *path);

/*
 * What is different in the second, in words: "destinations: added siem, removed old,
 * changed mail; listen: changed", or "nothing".
 */
void config_snapshot_compare(int before, int after, struct text *text);

#endif
