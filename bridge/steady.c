#include "bridge/steady.h"

#include <string.h>

#include "bridge/deadline.h"
#include "bridge/read_file.h"

enum { SHORTEST_STEP = 100 /* ms between marks */, RESOLUTION = 1000 /* ms of the line */ };

static void
read_boot(char boot[40])
{
	struct error ignored;
	struct stat status;
	size_t length;

	memset(boot, 0, 40);
	/* without one every start counts as another boot: things are kept longer */
	if (!read_file("/proc/sys/kernel/random/boot_id", boot, 39, &length, &status, &ignored))
		boot[0] = '\0';
}

static bool
is_same_boot(const struct steady_state *saved, const char *boot, int64_t boot_at)
{
	return boot[0] != '\0' && memcmp(saved->boot, boot, sizeof(saved->boot)) == 0 &&
	       boot_at >= saved->boot_at;
}

static int64_t
credit(int64_t claimed)
{
	if (claimed < 0)
		return 0;
	return claimed < STEADY_CREDIT ? claimed : STEADY_CREDIT;
}

void
steady_start(struct steady *steady, struct slice saved)
{
	struct steady_state *state = &steady->state;
	int64_t boot_at = deadline_boot(), wall = deadline_wall(), passed;
	char boot[40];

	memset(steady, 0, sizeof(*steady));
	read_boot(boot);
	if (saved.length == sizeof(*state))
		memcpy(state, saved.bytes, sizeof(*state));
	if (state->count > STEADY_MARKS)
		memset(state, 0, sizeof(*state));
	passed = is_same_boot(state, boot, boot_at) ? boot_at - state->boot_at
						    : credit(wall - state->wall);
	if (state->wall == 0)
		passed = 0;
	state->progress += passed;
	/* over a reboot the line is too early rather than too late: it only bars what is old */
	if (state->line > 0)
		atomic_store(&steady->line_offset,
			     state->line - boot_at +
				 (is_same_boot(state, boot, boot_at) ? passed : 0));
	memcpy(state->boot, boot, sizeof(boot));
	state->boot_at = boot_at;
	state->wall = wall;
}

/* The marks before the last one that has aged say nothing that it does not. */
static void
drop_marks(struct steady_state *state, int64_t retention)
{
	size_t drop = 0;

	while (drop + 1 < state->count &&
	       state->marks[drop + 1].progress <= state->progress - retention)
		drop++;
	if (drop == 0 && state->count == STEADY_MARKS)
		drop = 1;
	state->count -= drop;
	memmove(state->marks, state->marks + drop, state->count * sizeof(state->marks[0]));
}

bool
steady_advance(struct steady *steady, uint64_t last, int64_t retention)
{
	struct steady_state *state = &steady->state;
	int64_t now = deadline_boot(), step = retention / (STEADY_MARKS - 4);

	state->progress += now - state->boot_at;
	state->boot_at = now;
	state->wall = deadline_wall();
	if (step < SHORTEST_STEP)
		step = SHORTEST_STEP;
	if (state->count > 0 && state->progress - state->marks[state->count - 1].progress < step)
		return false;
	drop_marks(state, retention);
	state->marks[state->count++] = (struct steady_mark){state->progress, last};
	return true;
}

uint64_t
steady_aged(const struct steady *steady, int64_t retention)
{
	const struct steady_state *state = &steady->state;
	uint64_t aged = 0;

	for (size_t i = 0; i < state->count; i++)
		if (state->marks[i].progress <= state->progress - retention)
			aged = state->marks[i].sequence;
	return aged;
}

struct slice
steady_save(struct steady *steady)
{
	steady->state.line = steady_line(steady);
	return (struct slice){(const char *)&steady->state, sizeof(steady->state)};
}

int64_t
steady_line(const struct steady *steady)
{
	int64_t offset = atomic_load_explicit(&steady->line_offset, memory_order_relaxed);

	return offset == 0 ? 0 : offset + deadline_boot();
}

void
steady_agree(struct steady *steady, int64_t wall)
{
	int64_t line = steady_line(steady);

	/* each request comes by here: the line is written when it is off by a second */
	if (wall > line + RESOLUTION)
		atomic_store_explicit(&steady->line_offset, wall - deadline_boot(),
				      memory_order_relaxed);
}
