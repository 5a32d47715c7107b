/*
 * siembridge backfill: what a source's list has and no webhook brought, now and for
 * whatever time is asked for.  The running receiver stores it.
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/commands/options.h"
#include "bridge/commands/progress.h"
#include "bridge/commands/show.h"
#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/poller/poll_walk.h"
#include "bridge/poller/poller.h"

struct request {
	const char *config;
	const char *source; /* NULL: every one that polls */
	const char *since;
	const char *until;
};

static void
show_progress(void *context, const struct poll_found *found)
{
	progress_show(context, found->seen);
}

static void
print_found(const char *name, const struct poll_found *found)
{
	(void)printf("%s: %" PRIu64 " in its list, %" PRIu64 " had been missed and are stored "
		     "now, %" PRIu64 " were known",
		     name, found->seen, found->missed, found->known);
	if (found->young > 0)
		(void)printf(", %" PRIu64 " may still come by themselves", found->young);
	if (found->unwanted > 0)
		(void)printf(", %" PRIu64 " are not subscribed", found->unwanted);
	if (found->unreadable > 0)
		(void)printf(", %" PRIu64 " are no events", found->unreadable);
	(void)putchar('\n');
}

static bool
set_times(const struct request *request, const struct config_poll *poll, struct poll_walk *walk,
	  struct error *error)
{
	int64_t now = deadline_wall();

	walk->since = now - poll->lookback;
	walk->until = now - poll->grace;
	return show_parse_range(request->since, request->until, now, &walk->since, &walk->until,
				error);
}

static bool
fill_source(const struct request *request, const struct config *config,
	    const struct config_source *source, struct error *error)
{
	struct poll_walk walk = {
	    .source = source, .spool_directory = config->spool.directory, .tell = show_progress};
	struct secret *token = NULL;
	struct poll_found found;
	struct progress *progress;
	bool done;

	if (!set_times(request, source->poll, &walk, error) ||
	    !poller_token(&token, source->poll, error))
		return error_prefix(error, "source %s", source->name);
	walk.token = token;
	progress = progress_start(source->name, 0);
	walk.context = progress;
	done = poll_walk_run(&walk, &found, error);
	progress_end(progress);
	secret_free(token);
	print_found(source->name, &found);
	return done || error_prefix(error, "source %s", source->name);
}

static bool
backfill(const struct request *request, struct error *error)
{
	struct config *config;
	bool done = true, any = false;

	if (!config_read(&config, request->config, error))
		return false;
	for (unsigned i = 0; done && i < config->sources_count; i++) {
		const struct config_source *source = &config->sources[i];
		bool named = request->source != NULL && strcmp(request->source, source->name) == 0;

		if (source->poll == NULL || (request->source != NULL && !named))
			continue;
		any = true;
		done = fill_source(request, config, source, error);
	}
	if (!any && request->source != NULL)
		done =
		    error_set(error, "source %s has no `poll` in %s, which says where its list is",
			      request->source, config->path);
	else if (!any)
		done =
		    error_set(error, "no source of %s has a `poll`, which says where its list is",
			      config->path);
	config_free(config);
	return done;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request = {.config = OPTIONS_CONFIG_DEFAULT};
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &request.config},
	    {.name = "source", .letter = 's', .text = &request.source},
	    {.name = "since", .text = &request.since},
	    {.name = "until", .text = &request.until},
	};
	struct error error;
	size_t words;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	if (backfill(&request, &error))
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	(void)fprintf(stderr, "siembridge backfill: %s\n", error.text);
	return EXIT_FAILURE;
}

const struct command command_backfill = {
    .name = "backfill",
    .usage = "backfill [-c FILE] [--source NAME] [--since T] [--until T]",
    .summary = "ask the senders' lists for events that no webhook brought",
    .help =
	"Walks through the list of each source that has a `poll`, as the daemon does by\n"
	"itself every `interval`, hands every event to the running receiver, which stores\n"
	"what it does not have, and says how many webhooks had been missed.  What was\n"
	"found so is marked as polled.\n"
	"\n"
	"  -s, --source NAME    only that one\n"
	"  --since T, --until T what happened then: 2026-10-01T12:00:00Z, or 7d; default: from\n"
	"                       `lookback` ago until `grace` ago\n"
	"  -c, --config FILE    configuration; default " OPTIONS_CONFIG_DEFAULT "\n",
    .run = run,
};
