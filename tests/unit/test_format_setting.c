#include "formats/format_setting.h"

#include "tests/unit/vectors.h"

/* What is written; what it becomes, or the error. */
static const struct {
	const char *name;
	const char *value;
	const char *error; /* NULL: it is taken */
} rows[] = {
    {"header", "rfc3164", NULL},
    {"header", "rfc5425", "'rfc5425' is unknown; known: rfc5424, rfc3164"},
    {"bom", "always", NULL},
    {"bom", "Always", "'Always' is unknown; known: auto, never, always"},
    {"time_zone", "UTC", NULL},
    {"time_zone", "+14:00", NULL},
    {"time_zone", "-03:30", NULL},
    {"time_zone", "+15:00", "'+15:00' must be UTC or an offset as in +02:00"},
    {"time_zone", "+02:60", "'+02:60' must be UTC or an offset as in +02:00"},
    {"time_zone", "02:00", "'02:00' must be UTC or an offset as in +02:00"},
    {"time_zone", "Europe/Berlin", "'Europe/Berlin' must be UTC or an offset as in +02:00"},
    {"cef_time", "text", NULL},
    {"cef_time", "iso", "'iso' is unknown; known: milliseconds, text"},
    {"leef_delimiter", "tab", NULL},
    {"leef_delimiter", "~", NULL},
    {"leef_delimiter", "|", "'|' must be tab or one of ^~!#$%&*;,<>?`{}"},
    {"leef_delimiter", "=", "'=' must be tab or one of ^~!#$%&*;,<>?`{}"},
    {"leef_delimiter", "_", "'_' must be tab or one of ^~!#$%&*;,<>?`{}"},
    {"leef_delimiter", "^^", "'^^' must be tab or one of ^~!#$%&*;,<>?`{}"},
    {"leef_delimiter", "", "'' must be tab or one of ^~!#$%&*;,<>?`{}"},
    {"ocsf_version", "1.3", NULL},
    {"ocsf_version", "1.8.0", NULL},
    {"ocsf_version", "1.2", "'1.2' is unknown; known: 1.1, 1.3, 1.8, 1.9"},
    {"cee", "true", NULL},
    {"cee", "yes", "'yes' is unknown; known: true, false"},
    {"facility", "23", NULL},
    {"facility", "local4", NULL},
    {"enterprise_number", "4294967295", NULL},
    {"enterprise_number", "0", "'0' must be a whole number from 1 to 4294967295"},
    {"enterprise_number", "-1", "'-1' must be a whole number from 1 to 4294967295"},
};

static void
each_value_is_taken_or_the_error_says_which_there_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct format_options options;
		struct error error = {.text = ""};
		bool good;

		format_default_options(&options);
		good = format_setting_write(&options, rows[i].name, rows[i].value, &error);
		assert_string_equal(good ? "" : error.text,
				    rows[i].error != NULL ? rows[i].error : "");
	}
}

static int
read_number(const char *name, const char *value, struct format_options *options)
{
	struct error error;

	format_default_options(options);
	assert_true(format_setting_write(options, name, value, &error));
	return options->zone;
}

static void
values_become_what_they_say(void **state)
{
	struct format_options options;

	(void)state;
	assert_int_equal(read_number("time_zone", "-03:30", &options), -210);
	assert_int_equal(read_number("time_zone", "+05:45", &options), 345);
	(void)read_number("facility", "local4", &options);
	assert_int_equal(options.facility, 20);
	(void)read_number("leef_delimiter", "tab", &options);
	assert_int_equal(options.leef_delimiter, '\t');
	(void)read_number("ocsf_version", "1.3", &options);
	assert_int_equal(options.ocsf_minor, 3);
	(void)read_number("header", "rfc3164", &options);
	assert_int_equal(options.header, FORMAT_HEADER_RFC3164);
	(void)read_number("cef_time", "text", &options);
	assert_true(options.cef_time_text);
}

static void
every_name_has_a_value_that_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; format_setting_at(i) != NULL; i++) {
		struct format_options options;
		struct error error;

		format_default_options(&options);
		assert_false(
		    format_setting_write(&options, format_setting_at(i), "nonsense", &error));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_value_is_taken_or_the_error_says_which_there_are),
	    cmocka_unit_test(values_become_what_they_say),
	    cmocka_unit_test(every_name_has_a_value_that_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
