/*
 * One answer of a sender's list, taken apart by the pointers of the configuration.
 * Pure: no network, no clock.
 */
#ifndef POLL_PAGE_H
#define POLL_PAGE_H

#include "bridge/config.h"
#include "formats/arena.h"
#include "formats/json_split.h"

struct poll_page {
	struct json_split items; /* for json_split_element() */
	struct slice next;       /* cursor or address; absent: this was the last one */
};

/* Borrows the answer; what it gives is in there or in the arena.  False: it has no such items. */
MUST_CHECK bool poll_page_read(struct poll_page *page, const struct config_poll *poll,
			       struct slice answer, struct arena *arena, struct error *error);

struct poll_item {
	struct slice event; /* the bytes of it, as they stand in the answer */
	struct slice id;    /* may be absent */
	int64_t at;         /* milliseconds since 1970; 0: it does not say */
};

/* False: there is nothing where the event should be. */
MUST_CHECK bool poll_page_item(struct poll_item *item, const struct config_poll *poll,
			       struct slice element, struct arena *arena);

/*
 * The address to ask, with the words of poll->url replaced and escaped; `cursor` may be
 * absent.  An address as the cursor is that address, where scheme, host and port are the
 * same: else false, because the token would go to a stranger.  NUL-terminated behind it.
 */
MUST_CHECK bool poll_page_url(struct text *url, const struct config_poll *poll, int64_t since,
			      int64_t until, struct slice cursor, struct error *error);

#endif
