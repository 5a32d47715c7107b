#include "bridge/spool/spool_internal.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

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

bool
spool_internal_filling(struct database *database, bool *is_filling, struct error *error)
{
	int64_t rows;

	if (!database_query_number(database, "SELECT count(*) FROM meta WHERE name='filling'",
				   &rows, error))
		return false;
	*is_filling = rows > 0;
	return true;
}

enum spool_result
spool_internal_abandon(struct spool *spool, enum database_step step, struct error *error)
{
	struct error ignored;

	if (step != DATABASE_FULL && step != DATABASE_DAMAGED)
		return SPOOL_BROKEN;
	/* SQLite may have rolled back by itself, so a failing ROLLBACK is no news */
	(void)database_run(spool->rollback, &ignored);
	if (database_run(spool->begin, error) != DATABASE_END ||
	    database_run(spool->rollback, error) != DATABASE_END)
		return SPOOL_BROKEN;
	return SPOOL_FULL;
}

void
spool_internal_suspect(const struct spool *spool)
{
	struct error ignored;
	char path[PATH_MAX];
	int file;

	if (!spool_internal_path(path, spool->directory, "suspect", &ignored))
		return;
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file >= 0)
		close(file);
}
