#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/receiver/report.h"
#include "bridge/receiver/request_internal.h"

/* One event for all that is due of that source. */
static void
tell(struct request_handler *handler, size_t index, bool at_once)
{
	struct report_note *note = &handler->notes[index];
	int64_t now = deadline_wall();
	uint64_t count = report_take(handler->report, index, now, at_once, note);
	char id_bytes[REPORT_ID], body_bytes[REPORT_BODY];
	struct spool_event event;
	struct text id, body;

	if (count == 0)
		return;
	text_start(&id, id_bytes, sizeof(id_bytes));
	text_start(&body, body_bytes, sizeof(body_bytes));
	report_fill(&event, handler->sources[index].config->name, count, note, now, &id, &body);
	request_submit(handler, NULL, submission_new(&event, 1));
}

void
request_report_tell(struct request_handler *handler, bool at_once)
{
	for (size_t i = 0; handler->report != NULL && i < handler->source_count; i++)
		if (handler->notes[i].is_set)
			tell(handler, i, at_once);
}

void
request_report_note(struct request_handler *handler, const struct request_source *source,
		    const char *address, enum verify_reason reason, const struct error *error)
{
	size_t index = (size_t)(source - handler->sources);

	log_debug("signature", "source %s, from %s: %s", source->config->name,
		  address != NULL ? address : "somewhere", error->text);
	if (handler->report == NULL || !source->config->report_invalid)
		return;
	report_add(handler->report, index, address, reason, &handler->notes[index]);
	tell(handler, index, false);
}
