/*
 * The verbs of the command line: a file command_<verb>.c for each, and a row of
 * the table in main.c.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stddef.h>

#include "bridge/child.h"

struct command {
	const char *name;    /* "check" */
	const char *usage;   /* "check -c FILE" */
	const char *summary; /* one line for the list in --help */
	const char *help;    /* what `siembridge NAME --help` says below the usage */
	/* argv[0] is the command's name; returns the exit status. */
	int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_check;
extern const struct command command_send;
extern const struct command command_render;
extern const struct command command_events;
extern const struct command command_dead;
extern const struct command command_replay;
extern const struct command command_probe;
extern const struct command command_status;
extern const struct command command_backfill;
extern const struct command command_verify;
extern const struct command command_spool;
extern const struct command command_reconcile;
extern const struct command command_init;
extern const struct command command_test;

/* The roles of the program, for main() and for command_run. */
extern const struct child_role command_run_roles[];
extern const size_t command_run_role_count;

#endif
