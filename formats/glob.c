#include "formats/glob.h"

/*
 * One star to go back to is enough: what an earlier star took can only shrink
 * what a later one is offered.  So the time is bounded by pattern times type.
 */
bool
glob_matches(const char *pattern, struct slice type)
{
	const char *after_star = NULL;
	size_t retry = 0, i = 0;

	while (i < type.length) {
		if (*pattern == '*') {
			after_star = ++pattern;
			retry = i;
		} else if (*pattern != '\0' && *pattern == type.bytes[i]) {
			pattern++;
			i++;
		} else if (after_star != NULL) {
			pattern = after_star;
			i = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool
glob_any(char *const *patterns, size_t count, struct slice type)
{
	for (size_t i = 0; i < count; i++)
		if (glob_matches(patterns[i], type))
			return true;
	return false;
}
