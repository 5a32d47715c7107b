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
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "formats/json_write.h"
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
static enum log_format own_format = LOG_FORMAT_TEXT;
static int journal = -1; /* connected to it; -1: stderr */

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static const char *const format_names[] = {
    [LOG_FORMAT_AUTO] = "auto",
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_LOGFMT] = "logfmt",
    [LOG_FORMAT_JSON] = "json",
};

const char *
log_format_name(size_t format)
{
	return format < LOG_FORMATS ? format_names[format] : NULL;
}

const char *
log_level_name(size_t level)
{
	return level <= LOG_LEVEL_DEBUG ? level_names[level] : NULL;
}

/* systemd.exec(5): device and inode of what it gave us as stderr. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char bytes[64];
	struct text text;
	struct stat status;

	if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
		return false;
	text_start(&text, bytes, sizeof(bytes));
	text_append_unsigned(&text, status.st_dev);
	text_append_byte(&text, ':');
	text_append_unsigned(&text, status.st_ino);
	return text_slice_is(text_slice(&text), stream);
}

/* -1: stderr has to do, which leads there too, without fields. */
static int
connect_journal(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (descriptor < 0 ||
	    memccpy(address.sun_path, path, '\0', sizeof(address.sun_path)) == NULL ||
	    connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		if (descriptor >= 0)
			(void)close(descriptor);
		return -1;
	}
	return descriptor;
}

void
log_start(const char *role, enum log_level level, enum log_format format)
{
	own_role = role;
	own_level = level;
	own_format = format == LOG_FORMAT_AUTO ? LOG_FORMAT_TEXT : format;
	if (journal >= 0)
		(void)close(journal);
	journal = format == LOG_FORMAT_AUTO && stderr_is_journal()
		      ? connect_journal("/run/systemd/journal/socket")
		      : -1;
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

/* One message, before it is a line. */
struct entry {
	enum log_level level;
	const char *object;
	const char *message;
	bool cut; /* the message was longer */
	uint64_t omitted;
};

/* "destination=siem" is a field and its value; "spool" the value of the field `object`. */
static struct slice
split_object(const struct entry *entry, struct slice *value)
{
	const char *equals = strchr(entry->object, '=');

	if (equals == NULL || equals == entry->object) {
		*value = text_of(entry->object);
		return SLICE_LITERAL("object");
	}
	*value = text_of(equals + 1);
	return (struct slice){entry->object, (size_t)(equals - entry->object)};
}

static void
append_omitted(struct text *line, const struct entry *entry)
{
	if (entry->omitted > 0 && !line->overflowed)
		text_append_format(line, " (%llu more like this left out)",
				   (unsigned long long)entry->omitted);
}

/* Ends the line, and says where its text was cut: `room` bytes were kept free for that. */
static void
end_line(struct text *line, const struct entry *entry, const char *end, size_t room)
{
	bool cut = line->overflowed || entry->cut;

	line->overflowed = false;
	line->capacity += room;
	text_append_string(line, cut ? "..." : "");
	text_append_string(line, end);
}

enum { ROOM = 64 };

static void
write_text(struct text *line, const struct entry *entry)
{
	append_time(line);
	text_append_format(line, " %s %s ", level_names[entry->level], own_role);
	append_escaped(line, entry->object);
	text_append_string(line, " \"");
	append_escaped(line, entry->message);
	append_omitted(line, entry);
	end_line(line, entry, "\"\n", ROOM);
}

static void
write_logfmt(struct text *line, const struct entry *entry)
{
	struct slice value, name = split_object(entry, &value);

	text_append_string(line, "time=");
	append_time(line);
	text_append_format(line, " level=%s role=%s ", level_names[entry->level], own_role);
	text_append_slice(line, name);
	text_append_string(line, "=\"");
	append_escaped(line, value.bytes);
	text_append_string(line, "\" msg=\"");
	append_escaped(line, entry->message);
	end_line(line, entry, "\"", ROOM);
	if (entry->omitted > 0)
		text_append_format(line, " left_out=%llu", (unsigned long long)entry->omitted);
	text_append_byte(line, '\n');
}

/* Of the message at most `most` bytes. */
static void
append_json(struct text *line, const struct entry *entry, size_t most)
{
	struct json_node *object;
	char time_bytes[64], name_bytes[LONGEST_OBJECT];
	struct slice value, name = split_object(entry, &value);
	struct slice message = text_of(entry->message);
	struct text text;

	object = json_write_object();
	text_start(&text, time_bytes, sizeof(time_bytes));
	append_time(&text);
	json_write_text(object, "time", text_slice(&text));
	json_write_text(object, "level", text_of(level_names[entry->level]));
	json_write_text(object, "role", text_of(own_role));
	text_start(&text, name_bytes, sizeof(name_bytes) - 1);
	text_append_slice(&text, name);
	name_bytes[text.length] = '\0';
	if (value.length > LONGEST_OBJECT)
		value.length = LONGEST_OBJECT;
	json_write_text(object, text.overflowed ? "object" : name_bytes, value);
	if (message.length > most)
		message.length = most;
	json_write_text(object, "message", message);
	if (entry->cut || message.length == most)
		json_write_boolean(object, "truncated", true);
	if (entry->omitted > 0)
		json_write_number(object, "left_out", (int64_t)entry->omitted);
	json_write_finish(object, line);
	text_append_byte(line, '\n');
}

/* Each byte may become six; what then does not fit is half of a document. */
static void
write_json(struct text *line, const struct entry *entry)
{
	append_json(line, entry, LONGEST_MESSAGE);
	if (!line->overflowed)
		return;
	text_cut(line, 0);
	append_json(line, entry, LONGEST_MESSAGE / 3);
}

/* systemd's native protocol: a field a line; nothing that is escaped holds a line end. */
static void
write_journal(struct text *line, const struct entry *entry)
{
	static const int priorities[] = {
	    [LOG_LEVEL_ERROR] = LOG_ERR,
	    [LOG_LEVEL_WARNING] = LOG_WARNING,
	    [LOG_LEVEL_INFO] = LOG_INFO,
	    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};

	text_append_format(line, "PRIORITY=%d\nSYSLOG_IDENTIFIER=siembridge\nSIEMBRIDGE_ROLE=%s\n",
			   priorities[entry->level], own_role);
	text_append_string(line, "SIEMBRIDGE_OBJECT=");
	append_escaped(line, entry->object);
	text_append_format(
	    line, "\nSIEMBRIDGE_LEFT_OUT=%llu\nMESSAGE=", (unsigned long long)entry->omitted);
	append_escaped(line, entry->object);
	text_append_string(line, ": ");
	append_escaped(line, entry->message);
	append_omitted(line, entry);
	end_line(line, entry, "\n", ROOM);
}

/* Nobody is left to be told that the log cannot be written. */
static bool
write_whole(int descriptor, const struct text *line)
{
	ssize_t written;

	do {
		written = write(descriptor, line->bytes, line->length);
	} while (written < 0 && errno == EINTR);
	return written >= 0;
}

static void
write_entry(const struct entry *entry)
{
	static void (*const writers[])(struct text * line, const struct entry *entry) = {
	    [LOG_FORMAT_AUTO] = write_text,
	    [LOG_FORMAT_TEXT] = write_text,
	    [LOG_FORMAT_LOGFMT] = write_logfmt,
	    [LOG_FORMAT_JSON] = write_json,
	};
	char bytes[LONGEST_LINE];
	struct text line;

	if (journal >= 0) {
		text_start(&line, bytes, sizeof(bytes) - ROOM);
		write_journal(&line, entry);
		if (write_whole(journal, &line))
			return;
	}
	text_start(&line, bytes, sizeof(bytes) - ROOM);
	writers[own_format](&line, entry);
	(void)write_whole(STDERR_FILENO, &line);
}

static void say(enum log_level level, const char *object, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void
say(enum log_level level, const char *object, const char *format, va_list arguments)
{
	struct entry entry = {.level = level, .object = object};
	char message[LONGEST_MESSAGE];
	int length;

	if (level > own_level)
		return;
	length = vsnprintf(message, sizeof(message), format, arguments);
	if (length < 0)
		return;
	if (!may_speak(key_of(format, object, message), &entry.omitted))
		return;
	entry.message = message;
	entry.cut = length >= (int)sizeof(message);
	write_entry(&entry);
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
