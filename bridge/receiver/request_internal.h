/*
 * What request.c and the files of its protocols share.
 */
#ifndef REQUEST_INTERNAL_H
#define REQUEST_INTERNAL_H

#include <time.h>

#include "bridge/receiver/answer.h"
#include "bridge/receiver/http_connection.h"
#include "bridge/receiver/request.h"
#include "bridge/receiver/submission.h"
#include "bridge/receiver/verify.h"

enum {
	REQUEST_EVIDENCE =
	    HTTP_HEAD_LENGTH * 2 /* some headers of one head, written with their names */
};

struct request_handler {
	const struct request_source *sources;
	size_t source_count;
	struct commit *commit;
	struct commit_returns *returns;
	struct counters *counters;
	struct report *report;                   /* NULL: none */
	struct limit *limit;                     /* likewise */
	struct report_note *notes;               /* one a source */
	struct arena *arena;                     /* of the request under way */
	struct submission *outbox, **outbox_end; /* for request_flush() */
	char date[32];                           /* of the answers, RFC 9110 section 6.6.1 */
	time_t date_at;                          /* when it was written */
	size_t pending;
	bool draining;
	char evidence[REQUEST_EVIDENCE];
};

/* `sentence` may be absent. */
void request_reply(struct request_handler *handler, struct http_connection *connection,
		   enum answer answer, struct slice sentence);

/*
 * As that, of what the sender did wrong; counted, and one that errs too often is told so
 * instead.
 */
void request_refuse(struct request_handler *handler, struct http_connection *connection,
		    enum answer answer, struct slice sentence);

/*
 * On its way to the disk, with all others of this turn of the loop.  `connection` is NULL
 * for what nobody waits for.
 */
void request_submit(struct request_handler *handler, struct http_connection *connection,
		    struct submission *submission);

/* Certificate and signature; false: it is noted for report.h and is still to be answered. */
MUST_CHECK bool request_is_trusted(struct request_handler *handler,
				   struct http_connection *connection,
				   const struct request_source *source,
				   const struct verify_request *seen,
				   struct verify_outcome *outcome);

/* Whoever came with a good signature: no attacker's, but may be too many. */
MUST_CHECK bool request_is_within_rate(struct request_handler *handler,
				       struct http_connection *connection,
				       const struct request_source *source);

/*
 * request_report.c: somebody at `address` (may be NULL) sent what nobody vouches for.
 * Events that tell of it are submitted when they are due, or `at_once`.
 */
void request_report_note(struct request_handler *handler, const struct request_source *source,
			 const char *address, enum verify_reason reason, const struct error *error);
void request_report_tell(struct request_handler *handler, bool at_once);

#endif
