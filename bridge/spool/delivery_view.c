#include "bridge/spool/delivery_view.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/spool/delivery_internal.h"
#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

struct delivery_view {
	struct database *database; /* NULL: there is none yet */
};

bool
delivery_view_open(struct delivery_view **out, const char *directory, struct error *error)
{
	struct delivery_view *view = memory_allocate(sizeof(*view));
	char path[PATH_MAX];

	if (!spool_internal_path(path, directory, "delivery.db", error))
		goto fail;
	if (access(path, F_OK) == 0 &&
	    (!database_open(&view->database, path, DATABASE_READ_ONLY, error) ||
	     !migrate_check(view->database, "delivery.db", DELIVERY_VERSION, error)))
		goto fail;
	*out = view;
	return true;
fail:
	delivery_view_close(view);
	return false;
}

void
delivery_view_close(struct delivery_view *view)
{
	if (view == NULL)
		return;
	database_close(view->database);
	free(view);
}

/* Prepares, with the destination (NULL: none) as the first parameter; NULL where there is no file.
 */
static bool
ask(struct delivery_view *view, struct database_statement **rows, const char *sql,
    const char *destination, struct error *error)
{
	*rows = NULL;
	if (view->database == NULL)
		return true;
	if (!database_prepare(view->database, rows, sql, error))
		return false;
	database_bind_text(*rows, 1, text_of(destination));
	return true;
}

bool
delivery_view_cursor(struct delivery_view *view, struct delivery_cursor *cursor, bool *known,
		     struct error *error)
{
	struct database_statement *rows;
	enum database_step step;

	*known = false;
	cursor->epoch = cursor->sequence = cursor->number = 0;
	cursor->replay = cursor->replayed = 0;
	if (!ask(view, &rows, "SELECT epoch, seq, number FROM cursors WHERE destination=?",
		 cursor->destination, error))
		return false;
	if (rows == NULL)
		return true;
	step = database_step(rows, error);
	if (step == DATABASE_ROW) {
		*known = true;
		cursor->epoch = (uint64_t)database_number(rows, 0);
		cursor->sequence = (uint64_t)database_number(rows, 1);
		cursor->number = (uint64_t)database_number(rows, 2);
	}
	database_finalize(rows);
	return step == DATABASE_ROW || step == DATABASE_END;
}

/* The first seven columns. */
static struct delivery_view_letter
letter_of(struct database_statement *row)
{
	return (struct delivery_view_letter){
	    .number = (uint64_t)database_number(row, 0),
	    .destination = database_bytes(row, 1),
	    .dead = {.sequence = (uint64_t)database_number(row, 2),
		     .died_at = database_number(row, 3),
		     .id = database_bytes(row, 4),
		     .type = database_bytes(row, 5),
		     .reason = database_bytes(row, 6)},
	};
}

bool
delivery_view_dead(struct delivery_view *view, const char *destination, uint64_t number,
		   uint64_t sequence,
		   bool (*each)(void *context, const struct delivery_view_letter *letter),
		   void *context, struct error *error)
{
	struct database_statement *rows;
	enum database_step step = DATABASE_END;
	bool more = true;

	if (!ask(view, &rows,
		 "SELECT number, destination, seq, died_at, id, type, reason, replay FROM dead"
		 " WHERE (?1 IS NULL OR destination=?1) AND (?2=0 OR number=?2)"
		 " AND (?3=0 OR seq=?3) ORDER BY number",
		 destination, error))
		return false;
	if (rows == NULL)
		return true;
	database_bind_number(rows, 2, (int64_t)number);
	database_bind_number(rows, 3, (int64_t)sequence);
	while (more && (step = database_step(rows, error)) == DATABASE_ROW) {
		struct delivery_view_letter letter = letter_of(rows);

		letter.replay = (uint64_t)database_number(rows, 7);
		more = each(context, &letter);
	}
	database_finalize(rows);
	return !more || step == DATABASE_END;
}

bool
delivery_view_dropped(struct delivery_view *view, uint64_t sequence,
		      bool (*each)(void *context, const struct delivery_view_dropped *dropped),
		      void *context, struct error *error)
{
	struct database_statement *rows;
	enum database_step step = DATABASE_END;
	bool more = true;

	if (!ask(view, &rows,
		 "SELECT number, destination, seq, died_at, id, type, reason, dropped_at,"
		 " dropped_by, because FROM dropped WHERE (?1 IS NULL OR destination=?1)"
		 " AND (?2=0 OR seq=?2) ORDER BY dropped_at, number",
		 NULL, error))
		return false;
	if (rows == NULL)
		return true;
	database_bind_number(rows, 2, (int64_t)sequence);
	while (more && (step = database_step(rows, error)) == DATABASE_ROW) {
		struct delivery_view_dropped dropped = {
		    .letter = letter_of(rows),
		    .dropped_at = database_number(rows, 7),
		    .by = database_bytes(rows, 8),
		    .because = database_bytes(rows, 9),
		};

		more = each(context, &dropped);
	}
	database_finalize(rows);
	return !more || step == DATABASE_END;
}

bool
delivery_view_trouble(struct delivery_view *view, const char *destination,
		      struct delivery_view_trouble *trouble, struct error *error)
{
	struct database_statement *rows;
	enum database_step step;

	memset(trouble, 0, sizeof(*trouble));
	if (!ask(view, &rows,
		 "SELECT at, failures, well_at, text FROM troubles WHERE destination=?",
		 destination, error))
		return false;
	if (rows == NULL)
		return true;
	step = database_step(rows, error);
	if (step == DATABASE_ROW) {
		struct slice text = database_bytes(rows, 3);
		size_t length =
		    text.length < sizeof(trouble->text) ? text.length : sizeof(trouble->text) - 1;

		trouble->at = database_number(rows, 0);
		trouble->failures = (uint64_t)database_number(rows, 1);
		trouble->well_at = database_number(rows, 2);
		memcpy(trouble->text, text.bytes, length);
	}
	database_finalize(rows);
	return step == DATABASE_ROW || step == DATABASE_END;
}

bool
delivery_view_passage(struct delivery_view *view, const char *destination, uint64_t sequence,
		      int64_t *after, int64_t *by, struct error *error)
{
	struct database_statement *rows;
	enum database_step step;

	*after = *by = 0;
	if (!ask(view, &rows,
		 "SELECT (SELECT max(at) FROM passages WHERE destination=?1 AND seq < ?2),"
		 " (SELECT min(at) FROM passages WHERE destination=?1 AND seq >= ?2)",
		 destination, error))
		return false;
	if (rows == NULL)
		return true;
	database_bind_number(rows, 2, (int64_t)sequence);
	step = database_step(rows, error);
	if (step == DATABASE_ROW) {
		*after = database_number(rows, 0);
		*by = database_number(rows, 1);
	}
	database_finalize(rows);
	return step == DATABASE_ROW;
}

bool
delivery_view_replays(struct delivery_view *view, const char *destination,
		      bool (*each)(void *context, const struct delivery_view_replay *replay),
		      void *context, struct error *error)
{
	struct database_statement *rows;
	enum database_step step = DATABASE_END;
	bool more = true;

	if (!ask(view, &rows,
		 "SELECT number, destination, first_seq, last_seq, done_seq, rate, asked_at,"
		 " asked_by, finished_at FROM replays WHERE ?1 IS NULL OR destination=?1"
		 " ORDER BY number",
		 destination, error))
		return false;
	if (rows == NULL)
		return true;
	while (more && (step = database_step(rows, error)) == DATABASE_ROW) {
		struct delivery_view_replay replay = {
		    .number = (uint64_t)database_number(rows, 0),
		    .destination = database_bytes(rows, 1),
		    .first = (uint64_t)database_number(rows, 2),
		    .last = (uint64_t)database_number(rows, 3),
		    .done = (uint64_t)database_number(rows, 4),
		    .rate = (uint64_t)database_number(rows, 5),
		    .asked_at = database_number(rows, 6),
		    .asked_by = database_bytes(rows, 7),
		    .finished_at = database_number(rows, 8),
		};

		more = each(context, &replay);
	}
	database_finalize(rows);
	return !more || step == DATABASE_END;
}
