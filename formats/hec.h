/*
 * The envelope of Splunk's HTTP Event Collector, with the names of the Common
 * Information Model in the event (standards.md 9.1, 10).
 */
#ifndef HEC_H
#define HEC_H

#include "formats/format.h"

/*
 * One JSON object: time, host, source, sourcetype, index, event, fields.  `event` has
 * the CIM fields at its top and the event as it was understood below, in objects of
 * their own, so that no name of ours stands where CIM has one.  `fields`, which Splunk
 * indexes, are flat: event_id, by which a duplicate is known, event_type, sequence, by
 * which a gap is, and "true" as replayed, or as possible_duplicate where it may have
 * arrived before.
 *
 * host, source, sourcetype and index come from the options (hec), whose texts are
 * templates; an empty index is left out, and Splunk then takes the token's.
 */
void hec_write(const struct event *event, const struct format_options *options, struct text *text);

#endif
