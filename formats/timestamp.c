/*
 * The calendar is computed, not looked up: days since 1970 <-> year, month, day
 * over eras of 400 years that begin in March, so that the leap day is the last
 * of its year (Howard Hinnant, "chrono-compatible low-level date algorithms").
 */
#include "formats/timestamp.h"

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
	ERA_DAYS = 146097,
	EPOCH_DAYS = 719468, /* from 0000-03-01 to 1970-01-01 */
};

static const int64_t end_ms = 253402300800000; /* 10000-01-01T00:00:00Z */

struct moment {
	int64_t year, month, day, hour, minute, second, millisecond;
};

/* What is left to read of a time. */
struct reader {
	struct slice left;
	bool strict;
};

static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = month > 2 ? year : year - 1;
	int64_t era = shifted / 400;
	int64_t year_of_era = shifted - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

static void
date_of(int64_t days, struct moment *moment)
{
	int64_t shifted = days + EPOCH_DAYS;
	int64_t era = shifted / ERA_DAYS;
	int64_t day_of_era = shifted - era * ERA_DAYS;
	int64_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	moment->day = day_of_year - (153 * month + 2) / 5 + 1;
	moment->month = month < 10 ? month + 3 : month - 9;
	moment->year = year_of_era + era * 400 + (moment->month <= 2 ? 1 : 0);
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

/* Exactly `count` digits, at least `low` and at most `high`. */
static bool
read_digits(struct reader *reader, size_t count, int64_t low, int64_t high, int64_t *number)
{
	uint64_t value;

	if (reader->left.length < count ||
	    !text_parse_unsigned((struct slice){reader->left.bytes, count}, (uint64_t)high, &value))
		return false;
	reader->left.bytes += count;
	reader->left.length -= count;
	*number = (int64_t)value;
	return *number >= low;
}

static bool
at(const struct reader *reader, char byte)
{
	return reader->left.length > 0 && reader->left.bytes[0] == byte;
}

/* One of the bytes; the first of them alone where we are strict. */
static bool
read_byte(struct reader *reader, const char *bytes)
{
	for (size_t i = 0; bytes[i] != '\0' && (i == 0 || !reader->strict); i++) {
		if (!at(reader, bytes[i]))
			continue;
		reader->left.bytes++;
		reader->left.length--;
		return true;
	}
	return false;
}

static bool
read_fraction(struct reader *reader, int64_t *millisecond)
{
	int64_t scale = 100;
	size_t digits = 0;

	*millisecond = 0;
	if (!read_byte(reader, "."))
		return true;
	while (reader->left.length > 0 && reader->left.bytes[0] >= '0' &&
	       reader->left.bytes[0] <= '9') {
		*millisecond += (reader->left.bytes[0] - '0') * scale;
		scale /= 10;
		digits++;
		reader->left.bytes++;
		reader->left.length--;
	}
	return digits > 0 && (digits <= 6 || !reader->strict);
}

/* What is to be taken off the local time. */
static bool
read_zone(struct reader *reader, int64_t *offset_ms)
{
	int64_t hours, minutes = 0;
	bool west = at(reader, '-');

	*offset_ms = 0;
	if (read_byte(reader, "Zz"))
		return true;
	if (reader->left.length == 0)
		return !reader->strict;
	if (!read_byte(reader, west ? "-" : "+") || !read_digits(reader, 2, 0, 23, &hours))
		return false;
	if (read_byte(reader, ":") || (!reader->strict && reader->left.length > 0)) {
		if (!read_digits(reader, 2, 0, 59, &minutes))
			return false;
	} else if (reader->strict) {
		return false;
	}
	*offset_ms = hours * HOUR_MS + minutes * MINUTE_MS;
	if (west)
		*offset_ms = -*offset_ms;
	return true;
}

static bool
read_date_and_time(struct reader *reader, struct moment *moment)
{
	return read_digits(reader, 4, 1970, 9999, &moment->year) && read_byte(reader, "-") &&
	       read_digits(reader, 2, 1, 12, &moment->month) && read_byte(reader, "-") &&
	       read_digits(reader, 2, 1, days_in_month(moment->year, moment->month),
			   &moment->day) &&
	       read_byte(reader, "Tt ") && read_digits(reader, 2, 0, 23, &moment->hour) &&
	       read_byte(reader, ":") && read_digits(reader, 2, 0, 59, &moment->minute) &&
	       read_byte(reader, ":") && read_digits(reader, 2, 0, 60, &moment->second) &&
	       read_fraction(reader, &moment->millisecond);
}

static bool
read_rfc3339(struct slice text, bool strict, int64_t *milliseconds)
{
	struct reader reader = {text, strict};
	struct moment moment;
	int64_t offset_ms, value;

	if (!read_date_and_time(&reader, &moment) || !read_zone(&reader, &offset_ms) ||
	    reader.left.length > 0)
		return false;
	if (moment.second == 60) { /* a leap second: ours has 59 of them, and no more */
		moment.second = 59;
		moment.millisecond = 999;
	}
	value = days_of(moment.year, moment.month, moment.day) * DAY_MS + moment.hour * HOUR_MS +
		moment.minute * MINUTE_MS + moment.second * SECOND_MS + moment.millisecond -
		offset_ms;
	if (value < 0 || value >= end_ms)
		return false;
	*milliseconds = value;
	return true;
}

static bool
read_epoch(struct slice text, int64_t *milliseconds)
{
	const uint64_t first_millisecond = 100000000000; /* 10^11: as seconds, the year 5138 */
	struct reader reader = {text, false};
	size_t digits = 0;
	uint64_t number;
	int64_t fraction;

	while (digits < text.length && text.bytes[digits] >= '0' && text.bytes[digits] <= '9')
		digits++;
	if (!text_parse_unsigned((struct slice){text.bytes, digits}, 99999999999999, &number))
		return false;
	reader.left.bytes += digits;
	reader.left.length -= digits;
	if (!read_fraction(&reader, &fraction) || reader.left.length > 0)
		return false;
	*milliseconds =
	    number < first_millisecond ? (int64_t)number * SECOND_MS + fraction : (int64_t)number;
	return true;
}

bool
timestamp_read_strict(struct slice text, int64_t *milliseconds)
{
	return read_rfc3339(text, true, milliseconds);
}

bool
timestamp_read(struct slice text, int64_t *milliseconds)
{
	return read_rfc3339(text, false, milliseconds) || read_epoch(text, milliseconds);
}

/* False outside of the years we know. */
static bool
split(int64_t milliseconds, struct moment *moment)
{
	int64_t rest;

	if (milliseconds < 0 || milliseconds >= end_ms)
		return false;
	date_of(milliseconds / DAY_MS, moment);
	rest = milliseconds % DAY_MS;
	moment->hour = rest / HOUR_MS;
	moment->minute = rest / MINUTE_MS % 60;
	moment->second = rest / SECOND_MS % 60;
	moment->millisecond = rest % SECOND_MS;
	return true;
}

/* `width` digits, and behind them a byte, at `*end`. */
static void
put(char **end, int64_t number, int width, char behind)
{
	for (int i = width - 1; i >= 0; i--) {
		(*end)[i] = (char)('0' + number % 10);
		number /= 10;
	}
	*end += width;
	*(*end)++ = behind;
}

void
timestamp_write_rfc3339(struct text *text, int64_t milliseconds)
{
	char line[32], *end = line;
	struct moment moment;

	if (!split(milliseconds, &moment)) {
		text_append_byte(text, '-');
		return;
	}
	put(&end, moment.year, 4, '-');
	put(&end, moment.month, 2, '-');
	put(&end, moment.day, 2, 'T');
	put(&end, moment.hour, 2, ':');
	put(&end, moment.minute, 2, ':');
	put(&end, moment.second, 2, '.');
	put(&end, moment.millisecond, 3, 'Z');
	text_append(text, line, (size_t)(end - line));
}

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void
timestamp_write_rfc5322(struct text *text, int64_t milliseconds)
{
	static const char weekdays[] = "ThuFriSatSunMonTueWed"; /* from 1970-01-01 on */
	char line[32], *end = line;
	struct moment moment;

	if (!split(milliseconds, &moment)) {
		milliseconds = 0;
		(void)split(milliseconds, &moment);
	}
	text_append(text, weekdays + milliseconds / DAY_MS % 7 * 3, 3);
	text_append_string(text, ", ");
	text_append_padded(text, (uint64_t)moment.day, 2);
	text_append_byte(text, ' ');
	text_append(text, months + (moment.month - 1) * 3, 3);
	text_append_byte(text, ' ');
	put(&end, moment.year, 4, ' ');
	put(&end, moment.hour, 2, ':');
	put(&end, moment.minute, 2, ':');
	put(&end, moment.second, 2, ' ');
	text_append(text, line, (size_t)(end - line));
	text_append_string(text, "+0000");
}

void
timestamp_write_rfc3164(struct text *text, int64_t milliseconds)
{
	char line[16], *end = line;
	struct moment moment;

	if (!split(milliseconds, &moment))
		(void)split(0, &moment); /* it has no nil */
	text_append(text, months + (moment.month - 1) * 3, 3);
	text_append_byte(text, ' ');
	if (moment.day < 10)
		text_append_byte(text, ' '); /* padded with a space, not with a zero */
	text_append_number(text, moment.day);
	text_append_byte(text, ' ');
	put(&end, moment.hour, 2, ':');
	put(&end, moment.minute, 2, ':');
	put(&end, moment.second, 2, '\0');
	text_append(text, line, (size_t)(end - line) - 1);
}

void
timestamp_write_words(struct text *text, int64_t milliseconds)
{
	struct moment moment;

	if (!split(milliseconds, &moment))
		return;
	text_append(text, months + (moment.month - 1) * 3, 3);
	text_append_byte(text, ' ');
	text_append_padded(text, (uint64_t)moment.day, 2);
	text_append_byte(text, ' ');
	text_append_padded(text, (uint64_t)moment.year, 4);
	text_append_byte(text, ' ');
	text_append_padded(text, (uint64_t)moment.hour, 2);
	text_append_byte(text, ':');
	text_append_padded(text, (uint64_t)moment.minute, 2);
	text_append_byte(text, ':');
	text_append_padded(text, (uint64_t)moment.second, 2);
	text_append_string(text, " UTC");
}
