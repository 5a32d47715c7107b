#include "bridge/spool/spool_chain.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "formats/memory.h"

struct spool_chain {
	EVP_MD *digest; /* fetched once: a fetch costs more than the hash */
	EVP_MD_CTX *context;
};

bool
spool_chain_new(struct spool_chain **out, struct error *error)
{
	struct spool_chain *chain = memory_allocate(sizeof(*chain));

	chain->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	chain->context = EVP_MD_CTX_new();
	if (chain->digest == NULL || chain->context == NULL) {
		spool_chain_free(chain);
		return error_set(error, "spool: this OpenSSL offers no SHA-256");
	}
	*out = chain;
	return true;
}

void
spool_chain_free(struct spool_chain *chain)
{
	if (chain == NULL)
		return;
	EVP_MD_CTX_free(chain->context);
	EVP_MD_free(chain->digest);
	free(chain);
}

static void
put_number(unsigned char bytes[8], uint64_t number)
{
	for (int i = 7; i >= 0; i--) {
		bytes[i] = (unsigned char)(number & 0xff);
		number >>= 8;
	}
}

bool
spool_chain_extend(struct spool_chain *chain, const struct spool_event *event,
		   unsigned char hash[SPOOL_HASH_LENGTH], struct error *error)
{
	const struct slice members[] = {event->source,   event->id,       event->type,
					event->resource, event->evidence, event->body};
	/* sequence, time, lengths, flags */
	unsigned char numbers[16 + sizeof(members) / sizeof(members[0]) * 8 + 8];
	unsigned char *position = numbers;
	bool done;

	put_number(position, event->sequence);
	put_number(position + 8, (uint64_t)event->received_at);
	position += 16;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++, position += 8)
		put_number(position, members[i].length);
	/* only where there are any: a row of version 2 keeps its hash */
	if (event->flags != 0) {
		put_number(position, event->flags);
		position += 8;
	}
	done = EVP_DigestInit_ex2(chain->context, chain->digest, NULL) == 1 &&
	       EVP_DigestUpdate(chain->context, hash, SPOOL_HASH_LENGTH) == 1 &&
	       EVP_DigestUpdate(chain->context, numbers, (size_t)(position - numbers)) == 1;
	for (size_t i = 0; done && i < sizeof(members) / sizeof(members[0]); i++)
		if (members[i].length > 0)
			done = EVP_DigestUpdate(chain->context, members[i].bytes,
						members[i].length) == 1;
	if (!done || EVP_DigestFinal_ex(chain->context, hash, NULL) != 1)
		return error_set(error, "spool: SHA-256 failed");
	return true;
}
