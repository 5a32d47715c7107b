/*
 * siembridge verify: is the ledger whole, and can its signatures be shown?
 *
 * The cursors and the noted hash are read before the events, so that a bridge that runs
 * meanwhile cannot make them look ahead of the ledger.
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/commands/options.h"
#include "bridge/commands/progress.h"
#include "bridge/commands/signature_proof.h"
#include "bridge/config.h"
#include "bridge/hex.h"
#include "bridge/spool/delivery_view.h"
#include "bridge/spool/spool_find.h"
#include "bridge/spool/spool_verify.h"
#include "formats/memory.h"

enum { FINDINGS_SHOWN = 20 };

/* What a finding means, and what to do. */
static const char *const meanings[SPOOL_VERIFY_KINDS] = {
    [SPOOL_VERIFY_EDITED] = "edited: its bytes do not give the hash of the chain; it, or what "
			    "stood before it, was changed on disk after it was stored",
    [SPOOL_VERIFY_REMOVED] = "removed: the next event follows on something that is not there",
    [SPOOL_VERIFY_GIVEN_UP] = "lost with the end of the file at an earlier start, and told then",
    [SPOOL_VERIFY_UNREADABLE] = "unreadable: the file is damaged there; see siembridge spool check",
    [SPOOL_VERIFY_MISSING] = "missing at the end: the head file knows of them; the file was cut "
			     "or is an older copy",
    [SPOOL_VERIFY_HEAD] = "not the event that was noted under this number: the chain was "
			  "computed anew, or the file is another one",
};

struct checking {
	const struct config *config;
	struct signature_proof proof;
	uint64_t findings;
	bool signatures;
	struct progress *progress;
	uint64_t first; /* sequence that is kept */
};

static void
show_finding(void *context, const struct spool_verify_finding *finding)
{
	struct checking *checking = context;

	if (++checking->findings > FINDINGS_SHOWN)
		return;
	progress_wipe(checking->progress);
	if (finding->first == finding->last)
		(void)printf("broken     event %" PRIu64 ": %s\n", finding->first,
			     meanings[finding->kind]);
	else
		(void)printf("broken     events %" PRIu64 " to %" PRIu64 " (%" PRIu64 "): %s\n",
			     finding->first, finding->last, finding->last - finding->first + 1,
			     meanings[finding->kind]);
}

static void
check_event(void *context, const struct spool_event *event, const unsigned char *hash,
	    const unsigned char *before)
{
	struct checking *checking = context;

	(void)hash;
	(void)before;
	if (event->sequence >= checking->first)
		progress_show(checking->progress, event->sequence - checking->first + 1);
	if (checking->signatures && event->intact)
		signature_proof_check(&checking->proof, event);
}

/* Where it cannot be told how much there is, there is no bar; spool_verify() says why. */
static void
begin_progress(struct checking *checking)
{
	struct spool_find *find;
	struct error ignored;
	uint64_t last = 0;

	checking->first = 1;
	if (spool_find_open(&find, checking->config->spool.directory, &ignored)) {
		if (!spool_find_range(find, &checking->first, &last, &ignored))
			last = 0;
		spool_find_close(find);
	}
	checking->progress =
	    progress_start("verify", last >= checking->first ? last - checking->first + 1 : 0);
}

/* ---- what was noted ---- */

static bool
read_note(const char *text, struct spool_verify_note *note, struct error *error)
{
	const char *colon = text != NULL ? strchr(text, ':') : NULL;
	struct slice number;
	size_t length;

	*note = (struct spool_verify_note){0};
	if (text == NULL)
		return true;
	number = (struct slice){text, colon != NULL ? (size_t)(colon - text) : 0};
	if (colon != NULL && text_parse_unsigned(number, INT64_MAX, &note->sequence) &&
	    note->sequence > 0 &&
	    hex_decode(text_of(colon + 1), note->hash, SPOOL_HASH_LENGTH, &length) &&
	    length == SPOOL_HASH_LENGTH)
		return true;
	return error_set(error, "--expect is NUMBER:HASH, as the line `chain end` shows it");
}

/* ---- cursors ---- */

static bool
read_cursors(const struct config *config, struct delivery_cursor *cursors, struct error *error)
{
	struct delivery_view *view;
	bool known, done;

	if (!delivery_view_open(&view, config->spool.directory, error))
		return false;
	done = true;
	for (size_t i = 0; done && i < config->destinations_count; i++) {
		cursors[i].destination = config->destinations[i].name;
		done = delivery_view_cursor(view, &cursors[i], &known, error);
	}
	delivery_view_close(view);
	return done;
}

/* False where one of them is beyond the ledger. */
static bool
show_cursors(const struct config *config, const struct delivery_cursor *cursors,
	     const struct spool_verify_report *report)
{
	bool well = true;

	for (size_t i = 0; i < config->destinations_count; i++) {
		const struct delivery_cursor *cursor = &cursors[i];
		bool foreign = cursor->sequence > 0 && cursor->epoch != report->epoch;

		(void)printf("cursor     %s: %" PRIu64 " of %" PRIu64, cursor->destination,
			     foreign ? 0 : cursor->sequence, report->last);
		if (foreign)
			(void)printf("; its %" PRIu64 " belongs to another spool.db, put aside or "
				     "replaced",
				     cursor->sequence);
		else if (cursor->sequence > report->last)
			(void)printf("; %" PRIu64 " that it has confirmed are not in the ledger "
				     "any more",
				     cursor->sequence - report->last);
		(void)puts("");
		well = well && !foreign && cursor->sequence <= report->last;
	}
	return well;
}

/* ---- the report ---- */

static void
show_end(const struct spool_verify_report *report)
{
	char bytes[2 * SPOOL_HASH_LENGTH];
	struct text text;

	if (report->count == 0)
		return;
	text_start(&text, bytes, sizeof(bytes));
	hex_encode(report->hash, SPOOL_HASH_LENGTH, &text);
	(void)printf("chain end  %" PRIu64 ":%.*s\n", report->last, (int)text.length, text.bytes);
}

static void
show_head(const struct spool_verify_report *report)
{
	if (report->head == 0)
		(void)puts("head       the head file is missing or unreadable; the next start of "
			   "the bridge makes it anew");
	else if (report->head_is_foreign)
		(void)printf("head       %" PRIu64 " of another spool.db: this one was begun "
			     "afresh or put in its place\n",
			     report->head);
	else
		(void)printf("head       %" PRIu64 "\n", report->head);
}

/* False where a signature cannot be shown. */
static bool
show_signatures(const struct signature_proof *proof)
{
	static const char *const names[SIGNATURE_PROOF_KINDS] = {
	    [SIGNATURE_PROOF_VERIFIED] = "verified",
	    [SIGNATURE_PROOF_NO_FIT] = "no secret fits",
	    [SIGNATURE_PROOF_NONE] = "source without signature",
	    [SIGNATURE_PROOF_PART] = "of a batch or a packed body, which is kept as its hash",
	    [SIGNATURE_PROOF_UNKNOWN] = "source not configured any more",
	};

	for (size_t i = 0; i < SIGNATURE_PROOF_KINDS; i++)
		(void)printf("signatures %" PRIu64 " %s\n", proof->counts[i], names[i]);
	if (proof->first_no_fit == 0)
		return true;
	(void)printf("broken     the first whose signature no secret gives is event %" PRIu64
		     "; a secret that was rotated is tried where it is listed with its not_after\n",
		     proof->first_no_fit);
	return false;
}

static bool
show_report(const struct checking *checking, const struct spool_verify_note *note,
	    const struct delivery_cursor *cursors, const struct spool_verify_report *report)
{
	bool whole = spool_verify_is_whole(report) && !report->head_is_foreign, well = true;

	if (checking->findings > FINDINGS_SHOWN)
		(void)printf("broken     and %" PRIu64 " more places\n",
			     checking->findings - FINDINGS_SHOWN);
	(void)printf("events     %" PRIu64 " kept, %" PRIu64 " to %" PRIu64 "\n", report->count,
		     report->first, report->last);
	show_head(report);
	well = show_cursors(checking->config, cursors, report);
	if (note->sequence > 0 && !report->noted && note->sequence >= report->first) {
		(void)printf("broken     event %" PRIu64 ", which --expect names, is not there\n",
			     note->sequence);
		whole = false;
	} else if (note->sequence > 0 && !report->noted) {
		(void)printf("expected   %" PRIu64 " is not kept any more\n", note->sequence);
	}
	if (checking->signatures)
		well = show_signatures(&checking->proof) && well;
	show_end(report);
	(void)puts(whole ? "whole      every event follows on the one before it"
			 : "NOT WHOLE  see the lines that say broken");
	return whole && well;
}

static bool
check(struct checking *checking, const char *expect, bool *good, struct error *error)
{
	const char *directory = checking->config->spool.directory;
	const struct spool_verify_calls calls = {
	    .found = show_finding, .event = check_event, .context = checking};
	struct delivery_cursor *cursors =
	    memory_allocate_array(checking->config->destinations_count, sizeof(*cursors));
	struct spool_verify_report report;
	struct spool_verify_note note;
	bool done = read_note(expect, &note, error);

	begin_progress(checking);
	done = done &&
	       (!checking->signatures ||
		signature_proof_open(&checking->proof, checking->config, error)) &&
	       read_cursors(checking->config, cursors, error) &&
	       spool_verify(directory, &note, &calls, &report, error);
	progress_end(checking->progress);
	if (done)
		*good = show_report(checking, &note, cursors, &report);
	free(cursors);
	return done;
}

static int
run(const struct command *command, int argc, char **argv)
{
	const char *path = OPTIONS_CONFIG_DEFAULT, *expect = NULL;
	struct checking checking = {0};
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &path},
	    {.name = "signatures", .flag = &checking.signatures},
	    {.name = "expect", .text = &expect},
	};
	struct config *config;
	struct error error;
	bool good = false;
	size_t words;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	if (!config_read(&config, path, &error)) {
		(void)fprintf(stderr, "siembridge verify: %s\n", error.text);
		return EXIT_FAILURE;
	}
	checking.config = config;
	if (!check(&checking, expect, &good, &error))
		(void)fprintf(stderr, "siembridge verify: %s\n", error.text);
	signature_proof_close(&checking.proof);
	config_free(config);
	return fflush(stdout) == 0 && good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_verify = {
    .name = "verify",
    .usage = "verify [-c FILE] [--signatures] [--expect NUMBER:HASH]",
    .summary = "is the ledger whole? was it edited or thinned out?",
    .help = "Reads every event that is kept against the hash chain, the head file and the\n"
	    "cursors, read-only, while the bridge runs or not.  Says where it is broken and what\n"
	    "that means; exit 1 where it is.\n"
	    "\n"
	    "  --signatures          also checks each event's signature again, with the evidence\n"
	    "                        kept beside it and the secrets configured now; exit 1 where\n"
	    "                        no secret fits\n"
	    "  --expect NUMBER:HASH  a line `chain end` noted earlier and elsewhere: shows that\n"
	    "                        all up to there is still the same, whoever could write here\n"
	    "  -c, --config FILE     configuration; default " OPTIONS_CONFIG_DEFAULT "\n",
    .run = run,
};
