#include "bridge/spool/migrate.h"

#include "bridge/fault.h"

static bool
refuse(const char *file, int64_t version, size_t known, struct error *error)
{
	return error_set(error,
			 "spool: %s has version %lld and this siembridge knows %zu; use the newer "
			 "siembridge",
			 file, (long long)version, known);
}

static bool
set_version(struct database *database, size_t version, struct error *error)
{
	char sql[64];
	struct text text;

	text_start(&text, sql, sizeof(sql));
	text_append_string(&text, "PRAGMA user_version=");
	text_append_unsigned(&text, version);
	text_append_byte(&text, '\0');
	return database_execute(database, sql, error);
}

bool
migrate_run(struct database *database, const char *file, const char *const *steps, size_t count,
	    struct error *error)
{
	struct error ignored;
	int64_t version;
	bool done;

	if (!database_version(database, &version, error))
		return false;
	if (version < 0 || (uint64_t)version > count)
		return refuse(file, version, count, error);
	if ((uint64_t)version == count)
		return true;
	if (!database_execute(database, "BEGIN IMMEDIATE", error))
		return error_prefix(error, "spool: %s", file);
	done = true;
	for (size_t i = (size_t)version; done && i < count; i++)
		done = database_execute(database, steps[i], error);
	fault_point("migrate-before-commit");
	done = done && set_version(database, count, error) &&
	       database_execute(database, "COMMIT", error);
	if (done)
		return true;
	/* SQLite may have rolled back by itself: a failure of this is no news */
	if (!database_execute(database, "ROLLBACK", &ignored))
		ignored.text[0] = '\0';
	return error_prefix(error, "spool: %s cannot be brought from version %lld to %zu", file,
			    (long long)version, count);
}

bool
migrate_check(struct database *database, const char *file, size_t count, struct error *error)
{
	int64_t version;

	if (!database_version(database, &version, error))
		return false;
	if (version >= 0 && (uint64_t)version == count)
		return true;
	if (version > 0 && (uint64_t)version < count)
		return error_set(error,
				 "spool: %s is of an older siembridge (version %lld); start this "
				 "one once, it brings the file up to date",
				 file, (long long)version);
	if (version == 0)
		return error_set(error, "spool: %s is just being made; try again", file);
	return refuse(file, version, count, error);
}
