/*
 * Notices when certificates and their like are replaced on disk, as a client of an
 * authority does every few weeks and then tells nobody.
 *
 * It only looks (stat(2)): whether what is there now can be used is found out by who
 * is told.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

struct config;
struct watch;

/*
 * Gives one over the files of `listen` and of `sources` that are read once at a start,
 * as they are now; freed with watch_free().  Copies what it needs.
 */
struct watch *watch_new(const struct config *config);
void watch_free(struct watch *watch); /* NULL is fine */

/*
 * The path of one that is not what it was when it was last told, and has been the same
 * for two looks: whoever writes it has ended.  NULL: none.  Borrowed from the watch.
 */
const char *watch_look(struct watch *watch);

#endif
