/*
 * What a source takes beside single plain bodies: packed ones, batches, and senders
 * that ask first.
 */
#include "bridge/config_value.h"

#include <string.h>

enum { LONGEST_NAME = 64, MOST_A_MINUTE = 10 * 1000 * 1000 };

static const struct config_word encodings[] = {{"gzip", 1}};

static bool
validate_encodings(const struct config_place *place, struct config_source *source)
{
	/* every collector of Splunk's does */
	source->takes_gzip = source->signature == CONFIG_SIGNATURE_HEC;
	for (unsigned i = 0; i < source->encodings_texts_count; i++) {
		int value;

		if (!config_value_word(place, "encodings", source->encodings_texts[i], encodings,
				       sizeof(encodings) / sizeof(encodings[0]), &value))
			return false;
		source->takes_gzip = true;
	}
	return true;
}

/* DNS names, where '*' stands for any run; in lower case, as they are compared. */
static bool
validate_origins(const struct config_place *place, struct config_source *source)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-*";

	for (unsigned i = 0; i < source->allowed_origins_count; i++) {
		const char *origin = source->allowed_origins[i];

		if (strspn(origin, letters) == strlen(origin) && strlen(origin) <= 253)
			continue;
		error_set(place->error,
			  "'%.70s' is no DNS name in lower case, in which '*' stands for anything",
			  origin);
		return config_value_wrong(place, "allowed_origins");
	}
	if (source->allowed_rate_text != NULL && source->allowed_origins_count == 0) {
		error_set(place->error, "has no use without 'allowed_origins'");
		return config_value_wrong(place, "allowed_rate");
	}
	return config_value_number(place, "allowed_rate", source->allowed_rate_text, 0, 1,
				   MOST_A_MINUTE, &source->allowed_rate);
}

static bool
validate_batch(const struct config_place *place, const struct config_source *source)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-@$";

	if (source->batch == NULL || (strlen(source->batch) <= LONGEST_NAME &&
				      strspn(source->batch, letters) == strlen(source->batch)))
		return true;
	error_set(place->error,
		  "'%.70s' is no name of a member; it is 1 to %d letters, digits and _ . - @ $",
		  source->batch, LONGEST_NAME);
	return config_value_wrong(place, "batch");
}

bool
config_validate_intake(const struct config_place *place, struct config_source *source)
{
	return validate_encodings(place, source) && validate_origins(place, source) &&
	       validate_batch(place, source);
}
