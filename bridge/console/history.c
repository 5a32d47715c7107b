/*
 * A ring of samples.  What a counter gained between two samples is never taken for
 * negative: a page of counters that was begun anew just gives a second of nothing.
 */
#include "bridge/console/history.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

struct history {
	size_t destinations;
	uint64_t *samples; /* rows of `in`, then one for each destination */
	size_t next;       /* row that is written next */
	size_t count;      /* rows that are filled */
};

enum { ROWS = HISTORY_SECONDS + 1 };

struct history *
history_new(size_t destinations)
{
	struct history *history = memory_allocate(sizeof(*history));

	history->destinations =
	    destinations < COUNTERS_DESTINATIONS ? destinations : COUNTERS_DESTINATIONS;
	history->samples =
	    memory_allocate_array(ROWS * (history->destinations + 1), sizeof(uint64_t));
	return history;
}

void
history_free(struct history *history)
{
	if (history == NULL)
		return;
	free(history->samples);
	free(history);
}

static uint64_t
load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

void
history_add(struct history *history, const struct counters *counters)
{
	uint64_t *row = history->samples + history->next * (history->destinations + 1);

	row[0] = load(&counters->values[COUNTER_ACCEPTED]);
	for (size_t i = 0; i < history->destinations; i++)
		row[i + 1] = load(&counters->destinations[i].sent);
	history->next = (history->next + 1) % ROWS;
	if (history->count < ROWS)
		history->count++;
}

/* The value of a column so many samples ago; 0 is the newest. */
static uint64_t
at(const struct history *history, size_t column, size_t ago)
{
	size_t row = (history->next + ROWS - 1 - ago) % ROWS;

	return history->samples[row * (history->destinations + 1) + column];
}

/* Gained a second, in tenths, from `ago + seconds` to `ago`. */
static uint64_t
rate(const struct history *history, size_t column, size_t ago, size_t seconds)
{
	uint64_t now, then;

	if (history->count < 2 || ago + 1 >= history->count)
		return 0;
	if (ago + seconds >= history->count)
		seconds = history->count - 1 - ago;
	now = at(history, column, ago);
	then = at(history, column, ago + seconds);
	return now > then ? (now - then) * 10 / seconds : 0;
}

uint64_t
history_rate_in(const struct history *history)
{
	return rate(history, 0, 0, HISTORY_RATE);
}

uint64_t
history_rate_out(const struct history *history, size_t destination)
{
	return destination < history->destinations ? rate(history, destination + 1, 0, HISTORY_RATE)
						   : 0;
}

static size_t
series(const struct history *history, size_t from, size_t to, uint64_t *points)
{
	size_t count = history->count > 0 ? (history->count - 1) / HISTORY_POINT : 0;

	for (size_t i = 0; i < count; i++) {
		points[i] = 0;
		for (size_t column = from; column < to; column++)
			points[i] +=
			    rate(history, column, (count - 1 - i) * HISTORY_POINT, HISTORY_POINT);
	}
	return count;
}

size_t
history_series_in(const struct history *history, uint64_t points[HISTORY_POINTS])
{
	return series(history, 0, 1, points);
}

size_t
history_series_out(const struct history *history, uint64_t points[HISTORY_POINTS])
{
	return series(history, 1, history->destinations + 1, points);
}
