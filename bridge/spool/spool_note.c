#include "bridge/spool/spool_note.h"

#include "bridge/spool/spool_internal.h"

bool
spool_note_read(struct spool *spool, const char *name, struct text *text, struct error *error)
{
	struct database_statement *statement;
	enum database_step step;

	if (!database_prepare(spool->database, &statement, "SELECT value FROM meta WHERE name=?",
			      error))
		return false;
	database_bind_text(statement, 1, text_of(name));
	step = database_step(statement, error);
	if (step == DATABASE_ROW)
		text_append_slice(text, database_bytes(statement, 0));
	database_finalize(statement);
	return step == DATABASE_ROW || step == DATABASE_END;
}

enum spool_result
spool_note(struct spool *spool, const char *name, struct slice bytes, struct error *error)
{
	struct database_statement *statement;
	enum database_step step = database_run(spool->begin, error);

	if (step != DATABASE_END)
		return spool_internal_abandon(spool, step, error);
	if (!database_prepare(spool->database, &statement,
			      "INSERT OR REPLACE INTO meta VALUES(?,?)", error))
		return spool_internal_abandon(spool, DATABASE_FAILED, error);
	database_bind_text(statement, 1, text_of(name));
	database_bind_bytes(statement, 2, bytes);
	step = database_run(statement, error);
	database_finalize(statement);
	if (step == DATABASE_END)
		step = database_run(spool->commit, error);
	return step == DATABASE_END ? SPOOL_DONE : spool_internal_abandon(spool, step, error);
}
