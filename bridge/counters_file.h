/*
 * The counters for who is no child of the supervisor: it writes them to
 * DIRECTORY/counters once a second and when it ends, in place and never synced.  A
 * reader may see half of a second; after a power cut, what was there before.
 */
#ifndef COUNTERS_FILE_H
#define COUNTERS_FILE_H

#include "bridge/counters.h"

/* What is in the file. */
struct counters_file {
	char magic[8];
	uint64_t size;        /* of this struct: of another version, it is not read */
	int64_t written_at;   /* ms since 1970 */
	int64_t written_beat; /* monotonic ms: what counters.beats compare with */
	struct counters counters;
};

/* Gives a descriptor for counters_file_write(); the supervisor's part. */
MUST_CHECK bool counters_file_open(int *descriptor, const char *directory, struct error *error);

/* Writes what they are now.  What cannot be written is left: the next second tries again. */
void counters_file_write(int descriptor, const struct counters *counters);

/*
 * Reads it whole into *file.  *found false: there is none, or one of another version,
 * as good as none.
 */
MUST_CHECK bool counters_file_read(const char *directory, struct counters_file *file, bool *found,
				   struct error *error);

#endif
