#include "formats/address.h"

#include "tests/unit/vectors.h"

static void
addresses_are_known_with_a_port_and_without(void **state)
{
	static const struct {
		const char *text;
		enum address_kind kind;
		const char *ip;
		const char *port;
	} cases[] = {
	    {"203.0.113.7", ADDRESS_IPV4, "203.0.113.7", NULL},
	    {"203.0.113.7:443", ADDRESS_IPV4, "203.0.113.7", "443"}, /* E9 */
	    {"2001:db8::7", ADDRESS_IPV6, "2001:db8::7", NULL},
	    {"[2001:db8::7]", ADDRESS_IPV6, "2001:db8::7", NULL},
	    {"[2001:db8::7]:65535", ADDRESS_IPV6, "2001:db8::7", "65535"},
	    {"::ffff:192.0.2.1", ADDRESS_IPV6, "::ffff:192.0.2.1", NULL},
	    {"unknown", ADDRESS_NONE, "unknown", NULL}, /* E10 */
	    {"", ADDRESS_NONE, "", NULL},
	    {"1.2.3.4.5", ADDRESS_NONE, "1.2.3.4.5", NULL},
	    {"1.2.3.4:", ADDRESS_NONE, "1.2.3.4:", NULL},
	    {"1.2.3.4:0", ADDRESS_NONE, "1.2.3.4:0", NULL},
	    {"1.2.3.4:65536", ADDRESS_NONE, "1.2.3.4:65536", NULL},
	    {"1.2.3.4:0443", ADDRESS_NONE, "1.2.3.4:0443", NULL},
	    {"1.2.3.4:+1", ADDRESS_NONE, "1.2.3.4:+1", NULL},
	    {"[1.2.3.4]:1", ADDRESS_NONE, "[1.2.3.4]:1", NULL},
	    {"[2001:db8::7", ADDRESS_NONE, "[2001:db8::7", NULL},
	    {"[2001:db8::7]1", ADDRESS_NONE, "[2001:db8::7]1", NULL},
	    {"[]", ADDRESS_NONE, "[]", NULL},
	    {":", ADDRESS_NONE, ":", NULL},
	    {"2001:db8::7%eth0", ADDRESS_NONE, "2001:db8::7%eth0", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address address;

		address_read(text_of(cases[i].text), &address);
		if (address.kind != cases[i].kind || !text_slice_is(address.port, cases[i].port) ||
		    !text_slice_is(address.ip, cases[i].ip))
			fail_msg("%s: %d, %.*s", cases[i].text, (int)address.kind,
				 (int)address.ip.length, address.ip.bytes);
	}
}

static void
a_nul_is_no_end(void **state)
{
	struct address address;

	(void)state;
	address_read(SLICE_LITERAL("192.0.2.1\0x"), &address);
	assert_int_equal(address.kind, ADDRESS_NONE);
	address_read((struct slice){NULL, 0}, &address);
	assert_int_equal(address.kind, ADDRESS_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_known_with_a_port_and_without),
	    cmocka_unit_test(a_nul_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
