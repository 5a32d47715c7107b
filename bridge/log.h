/*
 * The log: one line each on stderr, the object first, or fields for the journal.
 *
 *   2026-10-01T12:00:00.123Z warning forwarder destination=siem "refused by 10.0.0.5:6514: ..."
 *   time=... level=warning role=forwarder destination=siem msg="refused by ..." left_out=3
 *   {"time":"...","level":"warning","role":"forwarder","destination":"siem","message":"..."}
 *
 * error: somebody must act.  warning: we act.  info: one line for each change of
 * state.  debug: for developers.  Event ids may appear, event content and secrets
 * never.  Foreign bytes are escaped.  A message of one site about one object is
 * repeated at most once in 10 s; the next one says how many were left out.
 * Any thread; a line is written with one write(2).
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* How a line is written. */
enum log_format {
	LOG_FORMAT_AUTO, /* to the journal where stderr leads there ($JOURNAL_STREAM), else text */
	LOG_FORMAT_TEXT,
	LOG_FORMAT_LOGFMT,
	LOG_FORMAT_JSON,
	LOG_FORMATS
};

/* "auto", "text" ...; NULL behind the last. */
const char *log_format_name(size_t format);
const char *log_level_name(size_t level);

/* `role` stands in every line ("receiver"); borrowed for good.  Before the process confines itself:
 * the journal's socket is opened here.
 */
void log_start(const char *role, enum log_level level, enum log_format format);

/* `object` says what it is about: "destination=siem", "source=anyint", "listen", "spool". */
void log_error(const char *object, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warning(const char *object, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const char *object, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(const char *object, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
