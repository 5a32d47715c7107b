/*
 * The confinement in words: what this kernel gives, and the table of confine.c with
 * every system call of this processor under what becomes of it.
 */
#include "bridge/confine.h"

#include <string.h>

#include "bridge/confine_internal.h"
#include "formats/text.h"

enum { LINE_COLUMNS = 100, LABEL_COLUMNS = 13 };

void
confine_describe(struct text *text)
{
	/* Landlock's versions, and what came with them; linux/landlock.h */
	static const struct {
		int version;
		const char *gives;
	} landlock[] = {
	    {1, "files"},
	    {3, "truncation"},
	    {4, "TCP ports"},
	    {6, "signals and abstract sockets"},
	};
	int version = confine_files_version();

	if (CONFINE_SANITIZED) {
		text_append_string(text, "limits alone: this build has sanitizers");
		text_append_byte(text, '\0');
		return;
	}
	text_append_string(text, "no new privileges, no capabilities, no core dumps, ");
	text_append_string(text, confine_calls_known()
				     ? "system calls (seccomp)"
				     : "NOT system calls (this kernel has no seccomp filters)");
	for (size_t i = 0; i < sizeof(landlock) / sizeof(landlock[0]); i++) {
		if (version >= landlock[i].version)
			text_append_format(text, ", %s", landlock[i].gives);
		else
			text_append_format(text, ", NOT %s (Landlock %d; this kernel has %d)",
					   landlock[i].gives, landlock[i].version, version);
	}
	text_append_byte(text, '\0');
}

/* ---- words in lines ---- */

/* Words behind a label, wrapped. */
struct lines {
	struct text *text;
	const char *separator;
	size_t begun; /* where in the text this line begins */
	unsigned words;
};

static void
go_to_words(struct lines *lines)
{
	do
		text_append_byte(lines->text, ' ');
	while (lines->text->length - lines->begun < LABEL_COLUMNS && !lines->text->overflowed);
}

static struct lines
start_lines(struct text *text, const char *label, const char *separator)
{
	struct lines lines = {.text = text, .separator = separator, .begun = text->length};

	text_append_format(text, "  %s", label);
	go_to_words(&lines);
	return lines;
}

static void
add_word(struct lines *lines, const char *word)
{
	size_t used = lines->text->length - lines->begun;

	if (lines->words++ > 0) {
		text_append_string(lines->text, lines->separator);
		if (used + 2 + strlen(word) > LINE_COLUMNS) {
			text_append_byte(lines->text, '\n');
			lines->begun = lines->text->length;
			go_to_words(lines);
		} else {
			text_append_byte(lines->text, ' ');
		}
	}
	text_append_string(lines->text, word);
}

/* `rest`: what becomes of all others; NULL: there are none. */
static void
end_lines(struct lines *lines, const char *rest)
{
	if (rest != NULL)
		text_append_format(lines->text, "%s%s",
				   lines->words > 0 ? "; all others " : "none: ", rest);
	text_append_byte(lines->text, '\n');
}

/* ---- files and ports ---- */

static const char *
place_name(const struct confine_file *file)
{
	switch (file->place) {
	case CONFINE_PATH:
		return file->path;
	case CONFINE_SPOOL:
		return "spool.directory";
	case CONFINE_DESTINATION_INPUT:
		return "files that destinations name";
	case CONFINE_DESTINATION_OUTPUT:
		return "directories of file.path";
	case CONFINE_POLL_INPUT:
		return "files that poll names";
	case CONFINE_CREDENTIALS:
		return "$CREDENTIALS_DIRECTORY";
	case CONFINE_OURSELVES:
		return "siembridge and its loader";
	}
	return "?";
}

/* One right at a time, in the order of their bits. */
static void
describe_files(struct text *text, const struct confine_row *row)
{
	static const char *const labels[] = {"reads", "writes", "executes"};

	for (unsigned i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		const unsigned right = 1U << i;
		bool is_handled = (row->handled & right) != 0;
		struct lines lines = start_lines(text, labels[i], ",");

		if (!is_handled)
			add_word(&lines, "any");
		for (const struct confine_file *file = row->files; file->rights != 0; file++)
			if ((file->rights & right) != 0)
				add_word(&lines, place_name(file));
		end_lines(&lines, is_handled ? "EACCES" : NULL);
	}
}

struct ports_told {
	struct lines *lines;
	uint8_t told[(UINT16_MAX + 1) / 8]; /* one that several connect to comes several times */
};

static bool
tell_port(void *context, uint16_t port)
{
	struct ports_told *ports = context;
	char bytes[8];
	struct text word;

	if ((ports->told[port / 8] & 1U << port % 8) != 0)
		return true;
	ports->told[port / 8] |= (uint8_t)(1U << port % 8);
	text_start(&word, bytes, sizeof(bytes));
	text_append_unsigned(&word, port);
	text_append_byte(&word, '\0');
	add_word(ports->lines, bytes);
	return true;
}

static void
describe_ports(struct text *text, const struct confine_row *row, const struct config *config)
{
	bool is_free = row->ports == CONFINE_PORTS_FREE;
	struct lines lines = start_lines(text, "TCP to", ",");
	struct ports_told ports = {.lines = &lines};

	if (is_free || !confine_ports_each(row->ports, config, tell_port, &ports))
		add_word(&lines, "any");
	end_lines(&lines, is_free ? NULL : "EACCES");
	lines = start_lines(text, "TCP bind", ",");
	if (is_free)
		add_word(&lines, "any");
	end_lines(&lines, is_free ? NULL : "EACCES");
}

/* ---- system calls ---- */

struct calls_told {
	const struct confine_row *row;
	enum confine_answer answer; /* the calls with this one are told now */
	struct lines lines;
	unsigned count;
};

static void
count_call(void *context, const char *call)
{
	struct calls_told *calls = context;
	struct text nowhere;

	text_start(&nowhere, NULL, 0);
	if (confine_calls_answer(calls->row, call, &nowhere) == calls->answer)
		calls->count++;
}

static void
tell_call(void *context, const char *call)
{
	struct calls_told *calls = context;
	char bytes[128];
	struct text word;

	text_start(&word, bytes, sizeof(bytes));
	text_append_format(&word, "%s (", call);
	if (confine_calls_answer(calls->row, call, &word) != calls->answer)
		return;
	if (calls->answer != CONFINE_CALL_DONE_WHERE)
		text_cut(&word, strlen(call));
	else
		text_append_byte(&word, ')');
	text_append_byte(&word, '\0');
	add_word(&calls->lines, word.overflowed ? call : bytes);
}

static void
describe_calls_of(struct text *text, struct calls_told *calls, const char *label, const char *rest)
{
	char bytes[32];
	struct text counted;

	confine_calls_each(count_call, calls);
	if (calls->count == 0)
		return;
	text_start(&counted, bytes, sizeof(bytes));
	text_append_format(&counted, "%s %u", label, calls->count);
	text_append_byte(&counted, '\0');
	calls->lines = start_lines(text, bytes, "");
	confine_calls_each(tell_call, calls);
	end_lines(&calls->lines, rest);
}

static void
describe_calls(struct text *text, const struct confine_row *row)
{
	static const struct {
		enum confine_answer answer;
		const char *label;
	} answers[] = {
	    {CONFINE_CALL_DONE, "done"},   {CONFINE_CALL_DONE_WHERE, "done if"},
	    {CONFINE_CALL_FAILS, "EPERM"}, {CONFINE_CALL_NOT_THERE, "ENOSYS"},
	    {CONFINE_CALL_ENDS, "SIGSYS"},
	};
	struct lines lines;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct calls_told calls = {.row = row, .answer = answers[i].answer};

		describe_calls_of(text, &calls, answers[i].label,
				  answers[i].answer == CONFINE_CALL_DONE_WHERE ? "EPERM" : NULL);
	}
	lines = start_lines(text, "others", ",");
	add_word(&lines, "by another processor's numbers (i386, x32): SIGSYS");
	add_word(&lines, confine_calls_rest(row) == CONFINE_CALL_FAILS ? "newer ones: EPERM"
								       : "newer ones: done");
	end_lines(&lines, NULL);
}

void
confine_describe_roles(struct text *text, const struct config *config)
{
	const struct confine_row *row;

	for (size_t i = 0; (row = confine_row(i)) != NULL; i++) {
		text_append_format(text, "%s\n", row->role);
		describe_files(text, row);
		describe_ports(text, row, config);
		describe_calls(text, row);
	}
	text_append_byte(text, '\0');
}
