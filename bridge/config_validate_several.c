/*
 * What a schema cannot say of several addresses in place of one, for the mappings that
 * may have them.  The default and the range of each key stand here.
 */
#include "bridge/config_value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct config_word balances[] = {
    {"failover", CONFIG_BALANCE_FAILOVER},
    {"round-robin", CONFIG_BALANCE_ROUND_ROBIN},
};

static bool
validate_balance(const struct config_place *place, struct config_several *several)
{
	int balance = CONFIG_BALANCE_FAILOVER;

	if (several->balance_text != NULL &&
	    !config_value_word(place, "balance", several->balance_text, balances, COUNT(balances),
			       &balance))
		return false;
	several->balance = (enum config_balance)balance;
	return true;
}

/* Keys that have a use with some others only. */
static bool
validate_use(const struct config_place *place, const struct config_several *several,
	     const char *what)
{
	const bool is_one = several->count <= 1;
	const bool turns = several->balance == CONFIG_BALANCE_ROUND_ROBIN;
	const struct {
		const char *key;
		bool is_idle;
		const char *use;
	} rows[] = {
	    {"balance", several->balance_text != NULL && is_one, what},
	    {"failback", several->failback_text != NULL && is_one, what},
	    {"rotate", several->rotate_text != NULL && is_one, what},
	    {"failback", several->failback_text != NULL && turns, "'balance: failover'"},
	    {"rotate", several->rotate_text != NULL && !turns, "'balance: round-robin'"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].is_idle)
			continue;
		error_set(place->error, "has a use with %s alone; take it out", rows[i].use);
		return config_value_wrong(place, rows[i].key);
	}
	return true;
}

bool
config_validate_several_where(const struct config_place *place,
			      const struct config_several *several, const char *alone,
			      const char *article, const char *one, const char *many)
{
	if (alone == NULL && several->count == 0) {
		error_set(place->error, "does not say where to; give %s %s, or several under %s",
			  article, one, many);
		return config_value_wrong(place, "");
	}
	if (alone != NULL && several->count > 0) {
		error_set(place->error, "stands beside %s; put all of them here", one);
		return config_value_wrong(place, many);
	}
	return true;
}

bool
config_validate_several(const struct config_place *place, struct config_several *several,
			const char *what)
{
	const struct config_quantity rows[] = {
	    {"failback", several->failback_text, "60s", "1s", "1d",
	     .milliseconds = &several->failback},
	    {"rotate", several->rotate_text, "60s", "1s", "1d", .milliseconds = &several->rotate},
	};

	return validate_balance(place, several) && validate_use(place, several, what) &&
	       config_value_quantities(place, rows, COUNT(rows));
}
