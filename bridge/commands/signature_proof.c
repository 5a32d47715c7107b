#include "bridge/commands/signature_proof.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/receiver/intake.h"
#include "bridge/receiver/verify.h"
#include "bridge/receiver/verify_scheme.h"
#include "formats/memory.h"

bool
signature_proof_open(struct signature_proof *proof, const struct config *config,
		     struct error *error)
{
	*proof = (struct signature_proof){.config = config};
	proof->verifiers = memory_allocate_array(config->sources_count, sizeof(struct verify *));
	for (size_t i = 0; i < config->sources_count; i++)
		if (!verify_new(&proof->verifiers[i], &config->sources[i], error))
			return error_prefix(error, "source %s", config->sources[i].name);
	return true;
}

void
signature_proof_close(struct signature_proof *proof)
{
	if (proof->config == NULL)
		return;
	for (size_t i = 0; i < proof->config->sources_count; i++)
		verify_free(proof->verifiers[i]);
	free(proof->verifiers);
}

/* The value in lines of "name: value\n", as verify_evidence() wrote them. */
static struct slice
evidence_header(void *context, const char *name, size_t *count)
{
	struct slice rest = *(const struct slice *)context, value = {NULL, 0};
	size_t length = strlen(name);

	*count = 0;
	while (rest.length > 0) {
		const char *end = memchr(rest.bytes, '\n', rest.length);
		size_t line = end != NULL ? (size_t)(end - rest.bytes) : rest.length;
		size_t step = end != NULL ? line + 1 : line;

		if (line >= length + 2 && memcmp(rest.bytes, name, length) == 0 &&
		    memcmp(rest.bytes + length, ": ", 2) == 0) {
			value = (struct slice){rest.bytes + length + 2, line - length - 2};
			(*count)++;
		}
		rest.bytes += step;
		rest.length -= step;
	}
	return value;
}

/* One of a batch, or of a packed body: what was signed was not kept, its hash was. */
static bool
is_part(struct slice evidence)
{
	size_t count;

	(void)evidence_header(&evidence, INTAKE_SIGNED_BODY, &count);
	return count > 0;
}

static enum signature_proof_kind
kind_of(const struct signature_proof *proof, const struct spool_event *event)
{
	struct slice evidence = event->evidence;
	const struct verify_request request = {.header = evidence_header,
					       .context = &evidence,
					       .body = event->body,
					       .now = event->received_at};
	struct verify_outcome outcome;
	struct verify_scheme scheme;
	struct error ignored;
	size_t i = 0;

	if (text_slice_is(event->source, CONFIG_SOURCE_OWN))
		return SIGNATURE_PROOF_NONE;
	while (i < proof->config->sources_count &&
	       !text_slice_is(event->source, proof->config->sources[i].name))
		i++;
	if (i == proof->config->sources_count)
		return SIGNATURE_PROOF_UNKNOWN;
	verify_scheme_of(&scheme, &proof->config->sources[i]);
	if (scheme.method != VERIFY_HMAC)
		return SIGNATURE_PROOF_NONE;
	if (is_part(event->evidence))
		return SIGNATURE_PROOF_PART;
	/* a tolerance that was narrowed since changes nothing: the secrets that fit count */
	(void)!verify_check(proof->verifiers[i], &request, &outcome, &ignored);
	return outcome.secrets != 0 ? SIGNATURE_PROOF_VERIFIED : SIGNATURE_PROOF_NO_FIT;
}

void
signature_proof_check(struct signature_proof *proof, const struct spool_event *event)
{
	enum signature_proof_kind kind = kind_of(proof, event);

	proof->counts[kind]++;
	if (kind == SIGNATURE_PROOF_NO_FIT && proof->first_no_fit == 0)
		proof->first_no_fit = event->sequence;
}
