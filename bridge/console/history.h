/*
 * The counters of the last minutes, second by second: what rates are made of.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "bridge/counters.h"

enum {
	HISTORY_SECONDS = 300,
	HISTORY_POINT = 5, /* seconds that a point of a series stands for */
	HISTORY_POINTS = HISTORY_SECONDS / HISTORY_POINT,
	HISTORY_RATE = 10, /* seconds that a rate is the mean of */
};

struct history;

struct history *history_new(size_t destinations);
void history_free(struct history *history);

/* Once a second. */
void history_add(struct history *history, const struct counters *counters);

/* Events a second over the last HISTORY_RATE seconds, in tenths. */
uint64_t history_rate_in(const struct history *history);
uint64_t history_rate_out(const struct history *history, size_t destination);

/*
 * The means over HISTORY_POINT seconds each, in tenths, the newest last.  Returns how
 * many there are, at most HISTORY_POINTS.
 */
size_t history_series_in(const struct history *history, uint64_t points[HISTORY_POINTS]);
size_t history_series_out(const struct history *history, uint64_t points[HISTORY_POINTS]);

#endif
