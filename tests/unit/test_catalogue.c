#include "formats/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The table of standards.md 16.3. */
static void
types_have_their_row(void **state)
{
	static const struct {
		const char *type, *name;
		int cef, syslog;
		const char *family, *action, *outcome;
	} cases[] = {
	    {"key.created", "API key created", 3, 5, "key", "created", "success"},
	    {"key.disabled", "API key disabled", 3, 5, "key", "disabled", "success"},
	    {"key.deleted", "API key deleted", 5, 4, "key", "deleted", "success"},
	    {"member.invited", "Member invited", 3, 5, "member", "invited", "success"},
	    {"member.joined", "Member joined", 3, 5, "member", "joined", "success"},
	    {"member.removed", "Member removed", 5, 4, "member", "removed", "success"},
	    {"usage.alert", "Usage threshold crossed", 5, 4, "usage", "notified", NULL},
	    {"usage.limit_reached", "Usage limit reached", 8, 3, "usage", "notified", NULL},
	    {"billing.generated", "Invoice generated", 1, 6, "billing", "generated", NULL},
	    {"billing.paid", "Invoice paid", 1, 6, "billing", "paid", "success"},
	    {"billing.overdue", "Invoice overdue", 5, 4, "billing", "notified", NULL},
	    {"security.", "Security alert", 8, 3, "security", "detected", NULL},
	    {"security.a.b", "Security alert", 8, 3, "security", "detected", NULL},
	    {"security", NULL, 1, 6, "other", NULL, NULL},
	    {"key.createdx", NULL, 1, 6, "other", NULL, NULL},
	    {"key.create", NULL, 1, 6, "other", NULL, NULL},
	    {"Key.created", NULL, 1, 6, "other", NULL, NULL},
	    {"", NULL, 1, 6, "other", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct catalogue_entry *entry = catalogue_find(text_of(cases[i].type));
		const struct severity_row *severity = severity_row(entry->severity);

		if (!text_slices_equal(text_of(entry->name), text_of(cases[i].name)) ||
		    severity->cef != cases[i].cef || severity->syslog != cases[i].syslog ||
		    !text_slice_is(text_of(catalogue_family_name(entry->family)),
				   cases[i].family) ||
		    !text_slices_equal(text_of(entry->action), text_of(cases[i].action)) ||
		    !text_slices_equal(text_of(entry->outcome), text_of(cases[i].outcome)))
			fail_msg("%s", cases[i].type);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(types_have_their_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
