/*
 * A line is put together on the stack and written with one write(2), so that
 * lines of several processes on one pipe never mix (at most PIPE_BUF bytes).
 *
 * The limit is kept in a table of fixed size, one slot a (site, object), found by
 * hash.  A site is its format string; where that is nothing but "%s" it says
 * nothing of the site, and the text stands for it, its digits left out so that a
 * port number does not make each line a new one.  Weakness: where more than
 * PROBES pairs meet in one place of the table the one silent longest is forgotten
 * with its count; a message may then come sooner than it should.
 */
#include "bridge/log.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "formats/text.h"
#include "formats/utf8.h"

enum {
	QUIET = 10000, /* ms between two messages of one site about one object */
	SLOTS = 256,
	PROBES = 8,
	LONGEST_MESSAGE = 1024, /* before escaping */
	LONGEST_OBJECT = 160,
	LONGEST_LINE = PIPE_BUF,
};

struct slot {
	uint64_t key;     /* 0: free */
	int64_t at;       /* monotonic ms of the last line */
	uint64_t omitted; /* since then */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS]; /* under the lock */
static const char *own_role = "siembridge";
static enum log_level own_level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void
log_start(const char *role, enum log_level level)
{
	own_role = role;
	own_level = level;
}

/* FNV-1a: the table is no target, since objects are names of the configuration. */
static uint64_t
mix(uint64_t hash, const char *bytes, size_t length, bool digits)
{
	for (size_t i = 0; i < length; i++)
		if (digits || bytes[i] < '0' || bytes[i] > '9')
			hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	return hash;
}

static uint64_t
key_of(const char *format, const char *object, const char *message)
{
	uint64_t key = mix(UINT64_C(14695981039346656037), object, strlen(object), true);

	if (strcmp(format, "%s") == 0)
		key = mix(key, message, strlen(message), false);
	else
		key = mix(key, (const char *)&format, sizeof(format), true);
	return key != 0 ? key : 1;
}

/* The slot of the key, or else the one to be had for it. */
static struct slot *
find_slot(uint64_t key)
{
	struct slot *oldest = NULL;

	for (size_t i = 0; i < PROBES; i++) {
		struct slot *slot = &slots[(key + i) % SLOTS];

		if (slot->key == key)
			return slot;
		if (oldest == NULL || (slot->key == 0 && oldest->key != 0) ||
		    (oldest->key != 0 && slot->at < oldest->at))
			oldest = slot;
	}
	*oldest = (struct slot){.key = 0};
	return oldest;
}

/* Is it to be written now?  *omitted: how many of its kind were not. */
static bool
may_speak(uint64_t key, uint64_t *omitted)
{
	int64_t now = deadline_now();
	bool speak;

	pthread_mutex_lock(&lock);
	struct slot *slot = find_slot(key);

	speak = slot->key == 0 || now - slot->at >= QUIET;
	if (speak) {
		*omitted = slot->omitted;
		*slot = (struct slot){.key = key, .at = now};
	} else {
		slot->omitted++;
	}
	pthread_mutex_unlock(&lock);
	return speak;
}

static void
append_time(struct text *line)
{
	int64_t wall = deadline_wall();
	time_t seconds = (time_t)(wall / 1000);
	struct tm parts;

	if (gmtime_r(&seconds, &parts) == NULL)
		parts = (struct tm){.tm_year = 70, .tm_mday = 1};
	text_append_format(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
			   parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
			   parts.tm_sec, (int)(wall % 1000));
}

/*
 * Bytes from anywhere, so that they can neither end the line or its quotes nor
 * move a terminal: what is not valid UTF-8 or must not be shown becomes \xNN.
 */
static void
append_escaped(struct text *line, const char *bytes)
{
	size_t left = strlen(bytes), length;

	for (; left > 0 && !line->overflowed; bytes += length, left -= length) {
		length = utf8_sequence(bytes, left);
		if (*bytes == '"' || *bytes == '\\')
			text_append_byte(line, '\\');
		if (length > 0 && utf8_hidden(bytes, left) == 0) {
			text_append(line, bytes, length);
		} else {
			length = 1;
			text_append_format(line, "\\x%02x", (unsigned char)*bytes);
		}
	}
}

/* Nobody is left to be told that the log cannot be written. */
static void
write_line(const char *bytes, size_t length)
{
	while (write(STDERR_FILENO, bytes, length) < 0 && errno == EINTR)
		;
}

static void say(enum log_level level, const char *object, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void
say(enum log_level level, const char *object, const char *format, va_list arguments)
{
	static const char end[] = "\"\n", end_cut[] = "...\"\n";
	char message[LONGEST_MESSAGE], bytes[LONGEST_LINE];
	uint64_t omitted = 0;
	struct text line;
	bool cut;
	int length;

	if (level > own_level)
		return;
	length = vsnprintf(message, sizeof(message), format, arguments);
	if (length < 0)
		return;
	if (!may_speak(key_of(format, object, message), &omitted))
		return;
	text_start(&line, bytes, sizeof(bytes) - sizeof(end_cut));
	append_time(&line);
	text_append_format(&line, " %s %s ", level_names[level], own_role);
	append_escaped(&line, object);
	text_append_string(&line, " \"");
	append_escaped(&line, message);
	if (omitted > 0 && !line.overflowed)
		text_append_format(&line, " (%llu more like this left out)",
				   (unsigned long long)omitted);
	cut = line.overflowed || length >= (int)sizeof(message);
	line.capacity = sizeof(bytes);
	text_append_string(&line, cut ? end_cut : end);
	write_line(line.bytes, line.length);
}

void
log_error(const char *object, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_LEVEL_ERROR, object, format, arguments);
	va_end(arguments);
}

void
log_warning(const char *object, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_LEVEL_WARNING, object, format, arguments);
	va_end(arguments);
}

void
log_info(const char *object, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_LEVEL_INFO, object, format, arguments);
	va_end(arguments);
}

void
log_debug(const char *object, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_LEVEL_DEBUG, object, format, arguments);
	va_end(arguments);
}
