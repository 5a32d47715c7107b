/*
 * The profile hec: what came in by the Splunk-HEC-compatible input.  An envelope
 * {"time":…,"host":…,"event":…} with the sender's event in it, or a line of text, or
 * a JSON object on a line of its own.  Its type is the source's `type`, unless the
 * configuration has pointers for it; the rest is read as by the profile anyint.
 */
#include "formats/mapping.h"

/* clang-format off */
static const struct mapping_rule rules[] = {
	{FIELD_TYPE, FAMILY_ANY, ""},
	{FIELD_TIME, FAMILY_ANY, "/time ./timestamp ./@timestamp ./time ./created_at /timestamp /@timestamp /created_at"},
	{FIELD_MESSAGE, FAMILY_ANY, "/event message msg description"},
};
/* clang-format on */

const struct mapping_profile profile_hec = {
    .name = "hec",
    .base = &profile_anyint,
    .roots = "/event",
    .rules = rules,
    .count = sizeof(rules) / sizeof(rules[0]),
    .takes_text = true,
};
