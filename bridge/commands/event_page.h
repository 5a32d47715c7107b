/*
 * An event of the ledger as a line and as a page, for people and as JSON.  Key
 * material is masked as on its way to a SIEM (formats/mask.h).
 */
#ifndef EVENT_PAGE_H
#define EVENT_PAGE_H

#include "bridge/spool/standing.h"
#include "bridge/spool/spool.h"

/* What a page is made with. */
struct event_page {
	struct standing *standing;
	bool json; /* a JSON object a line */
};

/*
 * Prints the event of that sequence as one line: sequence, received, occurred, type,
 * id, resource, source, and its status at each destination.  Nothing where it has been
 * pruned meanwhile.
 */
MUST_CHECK bool event_page_line(const struct event_page *page, uint64_t sequence,
				struct error *error);

/* Prints all that is known of it. */
MUST_CHECK bool event_page_whole(const struct event_page *page, uint64_t sequence,
				 struct error *error);

/* Evidence with the signatures shortened, and a body, masked: of a rejected body too. */
void event_page_evidence(struct slice evidence);
void event_page_body(struct slice body, const struct standing *standing, struct arena *arena);

#endif
