/*
 * The profile generic: the names that need no guessing, at the top and nowhere else.
 * All the rest is left to the pointers of the configuration.
 */
#include "formats/mapping.h"

static const struct mapping_rule rules[] = {
    {FIELD_TYPE, FAMILY_ANY, "/type /event_type /event"},
    {FIELD_BODY_ID, FAMILY_ANY, "/id /event_id"},
    {FIELD_TIME, FAMILY_ANY, "/timestamp /time /created_at"},
    {FIELD_SEVERITY_WORD, FAMILY_ANY, "/severity /level"},
    {FIELD_TITLE, FAMILY_ANY, "/title"},
    {FIELD_MESSAGE, FAMILY_ANY, "/message"},
};

const struct mapping_profile profile_generic = {
    .name = "generic",
    .roots = "",
    .rules = rules,
    .count = sizeof(rules) / sizeof(rules[0]),
};
