#include "formats/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Says by its last characters that a text was cut. */
static void
mark_cut(struct error *error, int wanted)
{
	if (wanted >= (int)sizeof(error->text))
		memcpy(error->text + sizeof(error->text) - 4, "...", 4);
}

bool
error_set(struct error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	mark_cut(error, vsnprintf(error->text, sizeof(error->text), format, arguments));
	va_end(arguments);
	return false;
}

bool
error_set_errno(struct error *error, const char *format, ...)
{
	struct error where;
	int saved = errno;
	va_list arguments;

	va_start(arguments, format);
	mark_cut(&where, vsnprintf(where.text, sizeof(where.text), format, arguments));
	va_end(arguments);
	errno = saved;
	mark_cut(error, snprintf(error->text, sizeof(error->text), "%s: %m", where.text));
	errno = saved;
	return false;
}

bool
error_prefix(struct error *error, const char *format, ...)
{
	struct error where, what = *error;
	va_list arguments;

	va_start(arguments, format);
	mark_cut(&where, vsnprintf(where.text, sizeof(where.text), format, arguments));
	va_end(arguments);
	mark_cut(error,
		 snprintf(error->text, sizeof(error->text), "%s: %s", where.text, what.text));
	return false;
}
