#include "bridge/console/desk.h"

#include <string.h>
#include <sys/stat.h>

#include "bridge/certificate.h"
#include "bridge/deadline.h"

enum { LONGEST_PATH = 4200 };

static uint64_t
file_of(const struct desk *desk, const char *name)
{
	char path[LONGEST_PATH];
	struct text text;
	struct stat status;

	text_start(&text, path, sizeof(path));
	text_append_format(&text, "%s/%s", desk->config->spool.directory, name);
	text_append_byte(&text, '\0');
	return !text.overflowed && stat(path, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static void
find_expiry(struct desk *desk)
{
	struct certificate *certificate = NULL;
	int64_t now = deadline_wall() / 1000, left;
	struct error ignored;

	if (!certificate_read(&certificate, desk->config->listen.certificate, &ignored))
		return; /* it is the receiver's to complain */
	if (certificate_is_valid(certificate, now, &left, &ignored))
		desk->certificate_expires_at = now + left;
	certificate_free(certificate);
}

bool
desk_open(struct desk *desk, const struct config *config, const struct counters *counters,
	  struct error *error)
{
	*desk = (struct desk){.config = config, .counters = counters};
	desk->arena = arena_new();
	desk->history = history_new(config->destinations_count);
	find_expiry(desk);
	if (config->console->password_file != NULL &&
	    !secret_read(&desk->password, config->console->password_file, error))
		return false;
	desk->sessions = session_new(desk->password);
	return true;
}

void
desk_close(struct desk *desk)
{
	standing_close(desk->standing);
	session_free(desk->sessions);
	secret_free(desk->password);
	history_free(desk->history);
	if (desk->arena != NULL)
		arena_free(desk->arena);
}

bool
desk_standing(struct desk *desk, struct standing **standing, struct error *error)
{
	const uint64_t files[] = {file_of(desk, "spool.db"), file_of(desk, "delivery.db")};

	if (desk->standing == NULL || memcmp(files, desk->files, sizeof(files)) != 0) {
		standing_close(desk->standing);
		desk->standing = NULL;
		if (!standing_open_with(&desk->standing, desk->config, error)) {
			desk->standing = NULL;
			return false;
		}
		memcpy(desk->files, files, sizeof(files));
	} else if (!standing_refresh(desk->standing, error)) {
		return false;
	}
	*standing = desk->standing;
	return true;
}

bool
desk_overview(struct desk *desk, struct overview *overview, struct error *error)
{
	struct overview_sources sources = {.config = desk->config,
					   .counters = desk->counters,
					   .running = true,
					   .beat = deadline_now()};

	if (!desk_standing(desk, &sources.standing, &sources.missing))
		sources.standing = NULL;
	return overview_read(overview, &sources, error);
}
