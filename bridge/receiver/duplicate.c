/*
 * 256 open-addressing tables, chosen by the first byte, linear probing, removal by
 * shifting back.  Each grows on its own by a quarter when it is 85 % full, so the
 * whole takes 19 to 24 bytes an event and never copies more than a 256th of itself
 * at once.  A fingerprint is as good as random, so it is its own hash; the all-zero
 * one stands for an empty place and is stored as 1.
 *
 * Weakness: two events whose 128 keyed bits are equal are taken for one; with 10^9
 * events kept the chance of any such pair is below 10^-20.
 */
#include "bridge/receiver/duplicate.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

enum {
	DUPLICATE_TABLES = 256,
	DUPLICATE_FIRST_CAPACITY = 16,
	DUPLICATE_SLACK = 32, /* a share of it beside: no table is hit exactly evenly */
};

struct print {
	uint64_t high;
	uint64_t low;
};

struct table {
	struct print *places;
	size_t capacity;
	size_t count;
};

struct duplicate {
	EVP_MAC_CTX *keyed; /* SipHash with the key set; copied for each fingerprint */
	struct table tables[DUPLICATE_TABLES];
};

struct duplicate *
duplicate_new(const unsigned char key[SPOOL_KEY_LENGTH])
{
	struct duplicate *duplicate = memory_allocate(sizeof(*duplicate));
	EVP_MAC *siphash = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_SIPHASH, NULL);
	unsigned int size = SPOOL_FINGERPRINT_LENGTH;
	OSSL_PARAM parameters[2] = {OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_SIZE, &size),
				    OSSL_PARAM_construct_end()};

	duplicate->keyed = EVP_MAC_CTX_new(siphash);
	if (duplicate->keyed == NULL ||
	    EVP_MAC_init(duplicate->keyed, key, SPOOL_KEY_LENGTH, parameters) != 1)
		memory_panic("this OpenSSL offers no SipHash");
	EVP_MAC_free(siphash);
	return duplicate;
}

void
duplicate_free(struct duplicate *duplicate)
{
	if (duplicate == NULL)
		return;
	for (size_t i = 0; i < DUPLICATE_TABLES; i++)
		free(duplicate->tables[i].places);
	EVP_MAC_CTX_free(duplicate->keyed);
	free(duplicate);
}

/* The NUL keeps ("ab","c") and ("a","bc") apart: no source name and no id has one. */
static void
update(EVP_MAC_CTX *context, struct slice part, bool is_last)
{
	if ((part.length > 0 &&
	     EVP_MAC_update(context, (const unsigned char *)part.bytes, part.length) != 1) ||
	    (!is_last && EVP_MAC_update(context, (const unsigned char *)"", 1) != 1))
		memory_panic("SipHash failed");
}

void
duplicate_fingerprint(const struct duplicate *duplicate, struct slice source, struct slice id,
		      struct slice body, unsigned char print[SPOOL_FINGERPRINT_LENGTH])
{
	EVP_MAC_CTX *context = EVP_MAC_CTX_dup(duplicate->keyed);
	size_t length;

	if (context == NULL)
		memory_panic("out of memory: a SipHash context");
	update(context, source, false);
	update(context, id, body.bytes == NULL);
	if (body.bytes != NULL)
		update(context, body, true);
	if (EVP_MAC_final(context, print, &length, SPOOL_FINGERPRINT_LENGTH) != 1)
		memory_panic("SipHash failed");
	EVP_MAC_CTX_free(context);
}

static struct print
read_print(const unsigned char bytes[SPOOL_FINGERPRINT_LENGTH])
{
	struct print print;

	memcpy(&print, bytes, sizeof(print));
	if (print.high == 0 && print.low == 0)
		print.low = 1;
	return print;
}

static bool
is_empty(struct print print)
{
	return print.high == 0 && print.low == 0;
}

static bool
are_equal(struct print left, struct print right)
{
	return left.high == right.high && left.low == right.low;
}

/* Where a print belongs: its share of 2^64, scaled to the capacity. */
static size_t
home(const struct table *table, struct print print)
{
	return (size_t)(((unsigned __int128)print.low * table->capacity) >> 64);
}

/* The place that holds the print, or the empty one where it would go. */
static size_t
find(const struct table *table, struct print print)
{
	size_t place = home(table, print);

	while (!is_empty(table->places[place]) && !are_equal(table->places[place], print))
		place = place + 1 < table->capacity ? place + 1 : 0;
	return place;
}

static bool
is_full(const struct table *table)
{
	return table->count >= table->capacity - table->capacity * 15 / 100;
}

/* Its capacity when it has grown. */
static size_t
grown(const struct table *table)
{
	size_t capacity = table->capacity + table->capacity / 4;

	return capacity < DUPLICATE_FIRST_CAPACITY ? DUPLICATE_FIRST_CAPACITY : capacity;
}

static void
grow(struct table *table)
{
	struct table larger = {.count = table->count, .capacity = grown(table)};

	larger.places = memory_allocate_array(larger.capacity, sizeof(*larger.places));
	for (size_t i = 0; i < table->capacity; i++)
		if (!is_empty(table->places[i]))
			larger.places[find(&larger, table->places[i])] = table->places[i];
	free(table->places);
	*table = larger;
}

static struct table *
table_of(struct duplicate *duplicate, struct print print)
{
	return &duplicate->tables[print.high & (DUPLICATE_TABLES - 1)];
}

bool
duplicate_add(struct duplicate *duplicate, const unsigned char bytes[SPOOL_FINGERPRINT_LENGTH])
{
	struct print print = read_print(bytes);
	struct table *table = table_of(duplicate, print);
	size_t place;

	if (is_full(table))
		grow(table);
	place = find(table, print);
	if (!is_empty(table->places[place]))
		return false;
	table->places[place] = print;
	table->count++;
	return true;
}

void
duplicate_reserve(struct duplicate *duplicate, uint64_t count)
{
	size_t share = (size_t)(count / DUPLICATE_TABLES);
	size_t capacity = (share + share / DUPLICATE_SLACK) * 100 / 85 + DUPLICATE_FIRST_CAPACITY;

	for (size_t i = 0; i < DUPLICATE_TABLES; i++) {
		struct table *table = &duplicate->tables[i];

		if (table->count > 0 || table->capacity >= capacity)
			continue;
		free(table->places);
		table->places = memory_allocate_array(capacity, sizeof(*table->places));
		table->capacity = capacity;
	}
}

/*
 * A place in a big table is in no cache: finding ten million of them one by one takes
 * longer than all else at a start.  So each table's are written down one behind the
 * other first, in its own places, and then put where they belong while it is the only
 * one that is touched.
 */
void
duplicate_gather(struct duplicate *duplicate, const unsigned char *prints, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct print print = read_print(prints + i * SPOOL_FINGERPRINT_LENGTH);
		struct table *table = table_of(duplicate, print);

		if (is_full(table)) {
			table->capacity = grown(table);
			table->places = memory_resize_array(table->places, table->capacity,
							    sizeof(*table->places));
		}
		table->places[table->count++] = print;
	}
}

static void
build(struct table *table, struct print *gathered)
{
	size_t count = table->count;

	if (count == 0)
		return;
	memcpy(gathered, table->places, count * sizeof(*gathered));
	memset(table->places, 0, table->capacity * sizeof(*table->places));
	table->count = 0;
	for (size_t i = 0; i < count; i++) {
		size_t place = find(table, gathered[i]);

		if (!is_empty(table->places[place]))
			continue;
		table->places[place] = gathered[i];
		table->count++;
	}
}

void
duplicate_build(struct duplicate *duplicate)
{
	struct print *gathered;
	size_t most = 1;

	for (size_t i = 0; i < DUPLICATE_TABLES; i++)
		if (duplicate->tables[i].count > most)
			most = duplicate->tables[i].count;
	gathered = memory_allocate_array(most, sizeof(*gathered));
	for (size_t i = 0; i < DUPLICATE_TABLES; i++)
		build(&duplicate->tables[i], gathered);
	free(gathered);
}

/* True where `place` lies in the run that starts at `from` and ends before `to`. */
static bool
is_between(size_t from, size_t place, size_t to)
{
	return from <= to ? from <= place && place < to : from <= place || place < to;
}

void
duplicate_remove(struct duplicate *duplicate, const unsigned char bytes[SPOOL_FINGERPRINT_LENGTH])
{
	struct print print = read_print(bytes);
	struct table *table = table_of(duplicate, print);
	size_t hole, place;

	if (table->capacity == 0)
		return;
	hole = find(table, print);
	if (is_empty(table->places[hole]))
		return;
	/* what was pushed behind the hole moves up, unless its home lies behind it too */
	for (place = hole;;) {
		place = place + 1 < table->capacity ? place + 1 : 0;
		if (is_empty(table->places[place]))
			break;
		if (is_between(home(table, table->places[place]), hole, place)) {
			table->places[hole] = table->places[place];
			hole = place;
		}
	}
	table->places[hole] = (struct print){0, 0};
	table->count--;
}

size_t
duplicate_count(const struct duplicate *duplicate)
{
	size_t count = 0;

	for (size_t i = 0; i < DUPLICATE_TABLES; i++)
		count += duplicate->tables[i].count;
	return count;
}

size_t
duplicate_memory(const struct duplicate *duplicate)
{
	size_t places = 0;

	for (size_t i = 0; i < DUPLICATE_TABLES; i++)
		places += duplicate->tables[i].capacity;
	return sizeof(*duplicate) + places * sizeof(struct print);
}
