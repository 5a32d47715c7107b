/*
 * Bytes of a connection through the gate: whatever they are, it makes of them the same
 * requests when they come whole, in single bytes, and in pieces as the first byte says.
 * What it refuses it refuses in any pieces, if for another of two reasons.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/receiver/http_gate.h"
#include "formats/memory.h"

enum { LIMIT = 4096, LONGEST = 64 * 1024, OUTCOME = 4 * LONGEST };

static void
take(struct http_gate *gate, struct text *outcome)
{
	struct http_request request;

	text_append_byte(outcome, http_gate_closes(gate) ? 'C' : 'K');
	if (gate->state == HTTP_GATE_REFUSED)
		return;
	http_gate_take(gate, &request);
	text_append_number(outcome, request.head->method);
	text_append_string(outcome, request.target);
	text_append_byte(outcome, ' ');
	text_append_number(outcome, request.head->minor);
	text_append_byte(outcome, '\n');
	for (size_t i = 0; i < request.head->field_count; i++) {
		const struct http_field *field = &request.head->fields[i];

		text_append_slice(outcome, http_head_part(request.bytes, field->name));
		text_append_byte(outcome, ':');
		text_append_slice(outcome, http_head_part(request.bytes, field->value));
		text_append_byte(outcome, '\n');
	}
	text_append_byte(outcome, '\n');
	text_append_slice(outcome, request.body);
	http_gate_drop(gate);
}

static void
run(const char *bytes, size_t length, size_t step, struct text *outcome)
{
	struct http_gate gate;
	bool open = true;

	text_cut(outcome, 0);
	http_gate_start(&gate, LIMIT);
	for (size_t at = 0; at < length && open; at += step) {
		size_t size = length - at < step ? length - at : step;

		memcpy(http_gate_room(&gate, size), bytes + at, size);
		http_gate_added(&gate, size);
		while (open && http_gate_read(&gate) >= HTTP_GATE_WHOLE) {
			open = !http_gate_closes(&gate);
			take(&gate, outcome);
		}
	}
	http_gate_stop(&gate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char bytes[3][OUTCOME];
	struct text outcomes[3];
	const size_t steps[3] = {LONGEST, 1, size > 0 ? data[0] + 1U : 1};

	if (size < 1 || size > LONGEST)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		text_start(&outcomes[i], bytes[i], OUTCOME);
		run((const char *)data + 1, size - 1, steps[i], &outcomes[i]);
		if (outcomes[i].overflowed)
			memory_panic("more comes out than went in");
		if (outcomes[i].length != outcomes[0].length ||
		    memcmp(bytes[i], bytes[0], outcomes[0].length) != 0)
			memory_panic("in pieces of %zu bytes it is understood differently",
				     steps[i]);
	}
	return 0;
}
