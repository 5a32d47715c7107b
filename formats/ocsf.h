/*
 * OCSF (Open Cybersecurity Schema Framework) 1.1, 1.3, 1.8 and 1.9: one JSON object.
 * Keys are managed entities, members come and go by group management, security.* is
 * a detection finding, everything else a base event (ocsf_class.h); what OCSF has no
 * attribute for stands in `unmapped`.
 */
#ifndef OCSF_H
#define OCSF_H

#include "formats/format.h"

/* Appends the object on one line, as options->ocsf_minor has it. */
void ocsf_write(const struct event *event, const struct format_options *options, struct text *text);

/* The minor of "1.9" or "1.9.0"; false for a version that this cannot write. */
MUST_CHECK bool ocsf_parse_version(struct slice version, unsigned *minor);

#endif
