/*
 * One sample body for each event type of the catalogue, as the sender would
 * post it: for `siembridge send`, for golden files and for tests.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/text.h"

/* The i-th type there is a sample of, or NULL behind the last: twelve of them. */
const char *sample_type(size_t i);

/*
 * Appends the JSON body of a sample that happened at `occurred_at` (ms since
 * 1970) and whose own id is `id` ([A-Za-z0-9_-]).  For a type without a sample
 * of its own: a small generic body of that type.
 */
void sample_write(struct slice type, struct slice id, int64_t occurred_at, struct text *text);

#endif
