#include "bridge/forwarder/relp.h"

#include "tests/unit/vectors.h"

/* "TXNR COMMAND" of a record. */
static void
assert_is_frame(const struct relp_frame *frame, struct slice wanted)
{
	char bytes[64];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	text_append_unsigned(&text, frame->txnr);
	text_append_byte(&text, ' ');
	text_append_slice(&text, frame->command);
	assert_true(text_slices_equal(text_slice(&text), wanted));
}

/* In memory of its own size, so that a sanitizer sees a byte that is read behind it. */
static enum relp_result
parse_copy(struct slice input, struct relp_frame *frame, size_t *used, char **copy,
	   struct error *error)
{
	*copy = malloc(input.length > 0 ? input.length : 1);
	assert_non_null(*copy);
	memcpy(*copy, input.bytes, input.length);
	return relp_parse((struct slice){*copy, input.length}, frame, used, error);
}

static void
check_write(const struct vector *vector, struct slice bytes)
{
	struct slice write = vector_get(vector, "write");
	const char *space = memchr(write.bytes, ' ', write.length);
	uint64_t txnr = 0;
	char made[512];
	struct text text;

	assert_non_null(space);
	assert_true(text_parse_unsigned((struct slice){write.bytes, (size_t)(space - write.bytes)},
					999999999, &txnr));
	text_start(&text, made, sizeof(made));
	relp_append((uint32_t)txnr, space + 1, vector_get(vector, "data"), &text);
	assert_true(text_slices_equal(text_slice(&text), bytes));
}

/* Every start of it is RELP_MORE, up to the byte that decides. */
static void
check_parse(const struct vector *vector, struct slice bytes)
{
	struct slice broken = vector_get(vector, "broken"), rest = vector_get(vector, "rest");
	struct slice decides = vector_get(vector, "at");
	size_t whole = bytes.length - rest.length;
	uint64_t at = whole;

	if (decides.bytes != NULL)
		assert_true(text_parse_unsigned(decides, bytes.length, &at));
	if (vector_get(vector, "more").bytes != NULL)
		at = bytes.length + 1;
	for (size_t length = 0; length <= bytes.length; length++) {
		struct relp_frame frame;
		struct error error = {.text = ""};
		size_t used = 0;
		char *copy;
		enum relp_result result =
		    parse_copy((struct slice){bytes.bytes, length}, &frame, &used, &copy, &error);

		if (length < at) {
			assert_int_equal(result, RELP_MORE);
		} else if (broken.bytes != NULL) {
			assert_int_equal(result, RELP_BROKEN);
			assert_non_null(strstr(error.text, broken.bytes));
		} else {
			assert_int_equal(result, RELP_FRAME);
			assert_int_equal(used, whole);
			assert_is_frame(&frame, vector_get(vector, "frame"));
			assert_int_equal(frame.data.length, vector_get(vector, "data").length);
			if (frame.data.length > 0)
				assert_memory_equal(frame.data.bytes,
						    vector_get(vector, "data").bytes,
						    frame.data.length);
		}
		free(copy);
	}
}

static void
check_reply(const struct vector *vector, struct slice data)
{
	struct relp_reply reply;
	struct error error = {.text = ""};
	struct slice code = vector_get(vector, "code");
	uint64_t wanted = 0;

	if (text_slice_is(code, "none")) {
		assert_false(relp_read_reply(data, &reply, &error));
		assert_non_null(strstr(error.text, "without a status"));
		return;
	}
	assert_true(text_parse_unsigned(code, 999, &wanted));
	assert_true(relp_read_reply(data, &reply, &error));
	assert_int_equal(reply.code, wanted);
	assert_true(text_slices_equal(reply.text, vector_get(vector, "text")));
	assert_true(reply.rest.bytes + reply.rest.length == data.bytes + data.length);
}

static void
check_offers(const struct vector *vector, struct slice offers)
{
	struct slice usable = vector_get(vector, "usable");
	struct error error = {.text = ""};

	if (text_slice_is(usable, "yes")) {
		assert_true(relp_check_offers(offers, &error));
		return;
	}
	assert_false(relp_check_offers(offers, &error));
	assert_non_null(strstr(error.text, usable.bytes));
}

static void
check_vector(const struct vector *vector)
{
	struct slice bytes = vector_get(vector, "bytes");

	if (vector_get(vector, "write").bytes != NULL)
		check_write(vector, bytes);
	if (bytes.bytes != NULL)
		check_parse(vector, bytes);
	if (vector_get(vector, "reply").bytes != NULL)
		check_reply(vector, vector_get(vector, "reply"));
	if (vector_get(vector, "offers").bytes != NULL)
		check_offers(vector, vector_get(vector, "offers"));
}

static void
frames_are_those_of_the_vectors_wherever_a_read_ends(void **state)
{
	(void)state;
	vectors_each("tests/vectors/relp.txt", check_vector);
}

/* What we offer is what we demand, so that it is tested by our own reading. */
static void
what_we_offer_is_version_0_and_syslog(void **state)
{
	struct relp_frame frame;
	struct error error = {.text = ""};
	char bytes[256];
	struct text text;
	size_t used = 0;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	relp_append_open(1, &text);
	assert_false(text.overflowed);
	assert_int_equal(relp_parse(text_slice(&text), &frame, &used, &error), RELP_FRAME);
	assert_int_equal(used, text.length);
	assert_is_frame(&frame, SLICE_LITERAL("1 open"));
	assert_true(relp_check_offers(frame.data, &error));
}

static void
a_frame_adds_no_more_than_it_promises(void **state)
{
	static const char longest[] = "999999999 syslog 999999999 \n";
	static char data[1 << 20];
	static char bytes[sizeof(data) + RELP_FRAME_OVERHEAD];
	struct text text;

	(void)state;
	assert_int_equal(sizeof(longest) - 1, RELP_FRAME_OVERHEAD);
	text_start(&text, bytes, sizeof(bytes));
	memset(data, 'x', sizeof(data));
	relp_append(RELP_TXNR_HIGHEST, "syslog", (struct slice){data, sizeof(data)}, &text);
	assert_false(text.overflowed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_are_those_of_the_vectors_wherever_a_read_ends),
	    cmocka_unit_test(what_we_offer_is_version_0_and_syslog),
	    cmocka_unit_test(a_frame_adds_no_more_than_it_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
