/*
 * The numbers in Prometheus' text format 0.0.4, named after its conventions; README.md
 * has the table.
 */
#ifndef CONSOLE_METRICS_H
#define CONSOLE_METRICS_H

#include "bridge/console/overview.h"

/* Appends all of them.  `certificate_expires_at`: seconds since 1970; 0: not known. */
void console_metrics_write(struct text *text, const struct overview *overview,
			   int64_t certificate_expires_at);

#endif
