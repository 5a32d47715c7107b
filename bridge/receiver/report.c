#include "bridge/receiver/report.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "formats/json_write.h"
#include "formats/memory.h"
#include "formats/timestamp.h"

struct state {
	_Atomic uint64_t untold;
	_Atomic int64_t next; /* not before; ms since 1970 */
};

struct report {
	struct state *states;
};

struct report *
report_new(size_t count)
{
	struct report *report = memory_allocate(sizeof(*report));

	report->states = memory_allocate_array(count, sizeof(*report->states));
	return report;
}

void
report_free(struct report *report)
{
	if (report == NULL)
		return;
	free(report->states);
	free(report);
}

void
report_add(struct report *report, size_t index, const char *peer, enum verify_reason reason,
	   struct report_note *note)
{
	struct text text;

	text_start(&text, note->peer, sizeof(note->peer));
	text_append_string(&text, peer != NULL ? peer : "");
	text_append_byte(&text, '\0');
	if (text.overflowed)
		note->peer[0] = '\0';
	note->reason = reason;
	note->is_set = true;
	atomic_fetch_add(&report->states[index].untold, 1);
}

uint64_t
report_take(struct report *report, size_t index, int64_t now, bool at_once,
	    struct report_note *note)
{
	struct state *state = &report->states[index];
	int64_t next = atomic_load(&state->next);
	bool due = at_once || now >= next || now < next - REPORT_PERIOD; /* the clock went back */

	/* another loop has told of this one's: the minute is not used up for nothing */
	if (atomic_load(&state->untold) == 0)
		note->is_set = false;
	if (!note->is_set || !due ||
	    !atomic_compare_exchange_strong(&state->next, &next, now + REPORT_PERIOD))
		return 0;
	note->is_set = false;
	return atomic_exchange(&state->untold, 0);
}

/* The names are those that the profile anyint looks for. */
static void
write_body(const char *source, uint64_t count, const struct report_note *note, int64_t now,
	   struct text *body)
{
	struct json_node *document = json_write_object();
	struct text text;
	char bytes[256];

	text_start(&text, bytes, sizeof(bytes));
	timestamp_write_rfc3339(&text, now);
	json_write_text(document, "type", SLICE_LITERAL("webhook.signature_invalid"));
	json_write_text(document, "timestamp", text_slice(&text));
	json_write_text(document, "source", text_of(source));
	if (note->peer[0] != '\0')
		json_write_text(document, "ip_address", text_of(note->peer));
	json_write_text(document, "reason", text_of(verify_reason_name(note->reason)));
	json_write_number(document, "count", (int64_t)count);
	text_cut(&text, 0);
	text_append_format(&text, "%" PRIu64 " request%s for source %s had no good signature",
			   count, count == 1 ? "" : "s", source);
	json_write_text(document, "message", text_slice(&text));
	json_write_finish(document, body);
}

void
report_fill(struct spool_event *event, const char *source, uint64_t count,
	    const struct report_note *note, int64_t now, struct text *id, struct text *body)
{
	text_append_format(id, "signature_invalid-%s-%" PRId64, source, now);
	write_body(source, count, note, now, body);
	if (id->overflowed || body->overflowed)
		memory_panic("an event about source %s does not fit", source);
	memset(event, 0, sizeof(*event));
	event->received_at = now;
	event->source = SLICE_LITERAL(CONFIG_SOURCE_OWN);
	event->id = text_slice(id);
	event->type = SLICE_LITERAL("webhook.signature_invalid");
	event->resource = text_of(source);
	event->body = text_slice(body);
}
