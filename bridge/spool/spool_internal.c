#include "bridge/spool/spool_internal.h"

#include <limits.h>

bool
spool_internal_path(char *path, const char *directory, const char *name, struct error *error)
{
	struct text text;

	text_start(&text, path, PATH_MAX);
	text_append_string(&text, directory);
	text_append_byte(&text, '/');
	text_append_string(&text, name);
	text_append_byte(&text, '\0');
	if (text.overflowed)
		return error_set(error, "spool: the path of %s is too long", directory);
	return true;
}
