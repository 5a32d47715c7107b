/* What stands behind the page; each fills the reply.  README.md says what they answer. */
#ifndef CONSOLE_API_H
#define CONSOLE_API_H

#include "bridge/console/console_answer.h"

void console_api_status(struct desk *desk, const struct console_request *request,
			struct console_reply *reply);
void console_api_events(struct desk *desk, const struct console_request *request,
			struct console_reply *reply);
/* path: /api/events/ID */
void console_api_event(struct desk *desk, const struct console_request *request,
		       struct console_reply *reply);
void console_api_dead(struct desk *desk, const struct console_request *request,
		      struct console_reply *reply);
void console_api_replay(struct desk *desk, const struct console_request *request,
			struct console_reply *reply);

#endif
