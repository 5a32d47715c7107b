/*
 * The profile cloudevents: CloudEvents 1.0 in JSON (structured, or an element of a
 * batch), or as headers around its data (binary).  What is in the data is read as by
 * the profile anyint.
 */
#include "formats/mapping.h"

/* clang-format off */
static const struct mapping_rule rules[] = {
	{FIELD_TYPE, FAMILY_ANY, "/type"},
	{FIELD_BODY_ID, FAMILY_ANY, "/id"},
	{FIELD_TIME, FAMILY_ANY, "/time /data/timestamp /data/occurred_at /data/created_at"},
	{FIELD_RESOURCE_ID, FAMILY_ANY, "/subject resource_id resourceId resource/id task_id taskId task/id job_id job/id object_id"},
};
/* clang-format on */

/* Section 3.1 of the HTTP binding. */
static const struct mapping_header headers[] = {
    {FIELD_TYPE, "ce-type"},
    {FIELD_BODY_ID, "ce-id"},
    {FIELD_TIME, "ce-time"},
    {FIELD_RESOURCE_ID, "ce-subject"},
};

const struct mapping_profile profile_cloudevents = {
    .name = "cloudevents",
    .base = &profile_anyint,
    .roots = "/data /data/object /data/payload",
    .rules = rules,
    .count = sizeof(rules) / sizeof(rules[0]),
    .headers = headers,
    .header_count = sizeof(headers) / sizeof(headers[0]),
    .headers_are_encoded = true,
};
