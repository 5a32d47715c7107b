/*
 * The log: one line each on stderr, logfmt, the object first.
 *
 *   2026-10-01T12:00:00.123Z warning destination=siem "refused by 10.0.0.5:6514: ..."
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

#include "formats/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* `role` stands in every line ("receiver"); borrowed for good. */
void log_start(const char *role, enum log_level level);

/* `object` says what it is about: "destination=siem", "source=anyint", "listen", "spool". */
void log_error(const char *object, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warning(const char *object, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const char *object, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(const char *object, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
