/*
 * Did the sender sign it?  Every event's evidence and body against the secrets that are
 * configured now, as at the time when it came.
 */
#ifndef SIGNATURE_PROOF_H
#define SIGNATURE_PROOF_H

#include "bridge/config.h"
#include "bridge/spool/spool.h"

enum signature_proof_kind {
	SIGNATURE_PROOF_VERIFIED,
	SIGNATURE_PROOF_NO_FIT,  /* no secret that is configured now gives this signature */
	SIGNATURE_PROOF_NONE,    /* without a signature: `none`, a token, the bridge's own */
	SIGNATURE_PROOF_PART,    /* its signature is over more than what is kept: intake.h */
	SIGNATURE_PROOF_UNKNOWN, /* its source is not configured any more */
	SIGNATURE_PROOF_KINDS
};

struct signature_proof {
	const struct config *config;
	struct verify **verifiers; /* one for each source */
	uint64_t counts[SIGNATURE_PROOF_KINDS];
	uint64_t first_no_fit; /* sequence; 0: there is none */
};

/* Reads the secrets; closed with signature_proof_close(), also where it failed. */
MUST_CHECK bool signature_proof_open(struct signature_proof *proof, const struct config *config,
				     struct error *error);
void signature_proof_close(struct signature_proof *proof);

/* Checks one event and counts it. */
void signature_proof_check(struct signature_proof *proof, const struct spool_event *event);

#endif
