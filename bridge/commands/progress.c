#include "bridge/commands/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "formats/memory.h"

enum {
	INTERVAL = 100, /* milliseconds between two lines */
	COLUMNS = 80,   /* where the terminal does not say */
	LINE = 1024,    /* bytes */
	BAR_LONGEST = 30,
	BAR_SHORTEST = 5,
	SECOND = 1000,
};

struct progress {
	const char *what;
	uint64_t total;
	int64_t began; /* monotonic ms */
	int64_t shown; /* likewise: the last line */
	bool terminal;
};

/* ---- numbers ---- */

void
progress_write_number(struct text *text, uint64_t number)
{
	if (number >= 1000) {
		progress_write_number(text, number / 1000);
		text_append_byte(text, ',');
		text_append_padded(text, number % 1000, 3);
	} else {
		text_append_unsigned(text, number);
	}
}

void
progress_write_duration(struct text *text, int64_t milliseconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t seconds = milliseconds > 0 ? milliseconds / SECOND : 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (seconds < units[i].seconds && units[i].seconds > 1)
			continue;
		text_append_format(text, "%lld %s", (long long)(seconds / units[i].seconds),
				   units[i].name);
		seconds %= units[i].seconds;
		if (i < 2 && seconds >= units[i + 1].seconds)
			text_append_format(text, " %lld %s",
					   (long long)(seconds / units[i + 1].seconds),
					   units[i + 1].name);
		return;
	}
}

static void
write_bar(struct text *text, uint64_t done, uint64_t total, size_t width)
{
	size_t full = (size_t)((double)done / (double)total * (double)width);

	text_append_byte(text, '[');
	for (size_t i = 0; i < width; i++)
		text_append_byte(text, i < full ? '#' : '.');
	text_append_string(text, "]  ");
}

/* What stands behind the bar. */
static void
write_numbers(struct text *text, uint64_t done, uint64_t total, int64_t elapsed)
{
	double rate = elapsed > 0 ? (double)done * SECOND / (double)elapsed : 0;

	if (total > 0)
		text_append_format(text, "%3.0f %%  ", (double)done * 100 / (double)total);
	progress_write_number(text, done);
	if (total > 0) {
		text_append_string(text, " of ");
		progress_write_number(text, total);
	}
	if (elapsed < SECOND || done == 0)
		return;
	text_append_string(text, "  ");
	progress_write_number(text, (uint64_t)(rate + 0.5));
	text_append_string(text, "/s");
	if (total == 0)
		return;
	text_append_string(text, "  ");
	progress_write_duration(text, (int64_t)((double)(total - done) / rate * SECOND));
	text_append_string(text, " left");
}

void
progress_write(struct text *text, const char *what, uint64_t done, uint64_t total, int64_t elapsed,
	       size_t columns)
{
	char bytes[LINE];
	struct text numbers;
	size_t taken, start = text->length;

	if (total > 0 && done > total)
		done = total;
	text_start(&numbers, bytes, sizeof(bytes));
	write_numbers(&numbers, done, total, elapsed);
	text_append_string(text, what);
	text_append_string(text, "  ");
	taken = text->length - start + numbers.length + sizeof("[]  ") - 1;
	if (total > 0 && taken + BAR_SHORTEST <= columns)
		write_bar(text, done, total,
			  columns - taken < BAR_LONGEST ? columns - taken : BAR_LONGEST);
	text_append_slice(text, text_slice(&numbers));
	if (text->length - start > columns)
		text_cut(text, start + columns);
}

/* ---- on the terminal ---- */

struct progress *
progress_start(const char *what, uint64_t total)
{
	struct progress *progress = memory_allocate(sizeof(*progress));

	progress->what = what;
	progress->total = total;
	progress->began = deadline_now();
	progress->terminal = isatty(STDERR_FILENO) == 1;
	return progress;
}

static size_t
columns_of_terminal(void)
{
	struct winsize size;

	/* the last column would wrap on some */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return (size_t)size.ws_col - 1;
	return COLUMNS - 1;
}

void
progress_show(struct progress *progress, uint64_t done)
{
	int64_t now;
	char bytes[LINE + 8];
	struct text text;

	if (!progress->terminal)
		return;
	now = deadline_now();
	if (now - progress->shown < INTERVAL && done != progress->total)
		return;
	progress->shown = now;
	text_start(&text, bytes, sizeof(bytes));
	text_append_byte(&text, '\r');
	progress_write(&text, progress->what, done, progress->total, now - progress->began,
		       columns_of_terminal());
	text_append_string(&text, "\033[K");
	(void)fwrite(text.bytes, 1, text.length, stderr);
	(void)fflush(stderr);
}

void
progress_wipe(struct progress *progress)
{
	if (!progress->terminal || progress->shown == 0)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	progress->shown = 0;
}

void
progress_end(struct progress *progress)
{
	progress_wipe(progress);
	free(progress);
}
