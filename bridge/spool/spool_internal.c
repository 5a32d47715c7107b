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

bool
spool_internal_prepare_range(struct database *database, struct database_statement **range,
			     struct error *error)
{
	/* two questions: SQLite goes to the ends of the tree for each, and through it for one */
	return database_prepare(
	    database, range, "SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)",
	    error);
}

bool
spool_internal_range(struct database_statement *range, uint64_t *first, uint64_t *last,
		     struct error *error)
{
	bool done = database_step(range, error) == DATABASE_ROW;

	if (done) {
		*first = (uint64_t)database_number(range, 0);
		*last = (uint64_t)database_number(range, 1);
	}
	database_reset(range);
	return done;
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
