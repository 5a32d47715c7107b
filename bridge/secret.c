/*
 * A secret has pages of its own: mlock(2) and munlock(2) work on whole pages, so
 * on a shared one the freeing of one secret would unlock its neighbour.  Locking
 * is best effort (RLIMIT_MEMLOCK may be small); wiping is not.
 */
#include "bridge/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bridge/read_file.h"
#include "formats/memory.h"

enum { SHORTEST = 16, LONGEST = 64 * 1024, LONGEST_TOKEN = 4096 };

struct secret {
	char *path;
	char *bytes;
	size_t length;
};

static char *
take_pages(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		memory_panic("out of memory: %zu bytes for a secret", size);
	(void)mlock(pages, size);
	(void)madvise(pages, size, MADV_DONTDUMP);
	return pages;
}

static void
give_pages_back(char *pages, size_t size)
{
	memory_wipe(pages, size);
	(void)munmap(pages, size); /* unlocks too */
}

struct secret *
secret_from_bytes(const char *path, struct slice bytes)
{
	struct secret *secret = memory_allocate(sizeof(*secret));

	secret->path = memory_copy_text(path, strlen(path));
	secret->length = bytes.length;
	secret->bytes = take_pages(bytes.length > 0 ? bytes.length : 1);
	if (bytes.length > 0)
		memcpy(secret->bytes, bytes.bytes, bytes.length);
	return secret;
}

void
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	give_pages_back(secret->bytes, secret->length > 0 ? secret->length : 1);
	free(secret->path);
	free(secret);
}

struct slice
secret_bytes(const struct secret *secret)
{
	return (struct slice){secret->bytes, secret->length};
}

const char *
secret_path(const struct secret *secret)
{
	return secret->path;
}

/* Where the file is: a name without a slash is a credential of systemd's. */
static bool
resolve(const char *path, struct text *full, struct error *error)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (strchr(path, '/') == NULL) {
		if (directory == NULL)
			return error_set(error,
					 "secret %s: a name without a slash is a systemd "
					 "credential, and $CREDENTIALS_DIRECTORY is not set; "
					 "for a plain file write ./%s",
					 path, path);
		text_append_format(full, "%s/", directory);
	}
	text_append_string(full, path);
	text_append_byte(full, '\0');
	if (full->overflowed)
		return error_set(error, "secret %s: the path is too long", path);
	return true;
}

/* An editor's newline, or that of a text file from elsewhere, is not secret. */
static size_t
without_newline(const char *bytes, size_t length)
{
	if (length > 0 && bytes[length - 1] == '\n') {
		length--;
		if (length > 0 && bytes[length - 1] == '\r')
			length--;
	}
	return length;
}

static bool
read_secret(struct secret **secret, const char *path, size_t shortest, struct error *error)
{
	char full_bytes[4096];
	struct text full;
	struct stat status;
	size_t length = 0;
	char *bytes;
	bool done = false;

	text_start(&full, full_bytes, sizeof(full_bytes));
	if (!resolve(path, &full, error))
		return false;
	bytes = take_pages(LONGEST);
	if (!read_file(full_bytes, bytes, LONGEST, &length, &status, error)) {
		error_prefix(error, "secret");
		goto finish;
	}
	length = without_newline(bytes, length);
	if ((status.st_mode & S_IRWXO) != 0) {
		error_set(error,
			  "secret %s: everybody may read or change it (mode %03o); chmod 600 it",
			  path, (unsigned)status.st_mode & 0777U);
		goto finish;
	}
	if (length < shortest) {
		error_set(error, "secret %s holds %zu bytes; at least %zu are needed", path, length,
			  shortest);
		goto finish;
	}
	*secret = secret_from_bytes(path, (struct slice){bytes, length});
	done = true;
finish:
	give_pages_back(bytes, LONGEST);
	return done;
}

bool
secret_read(struct secret **secret, const char *path, struct error *error)
{
	return read_secret(secret, path, SHORTEST, error);
}

bool
secret_read_password(struct secret **secret, const char *path, struct error *error)
{
	return read_secret(secret, path, 1, error);
}

static bool
is_token(struct slice bytes)
{
	for (size_t i = 0; i < bytes.length; i++)
		if (bytes.bytes[i] <= ' ' || bytes.bytes[i] > '~')
			return false;
	return bytes.length <= LONGEST_TOKEN;
}

bool
secret_read_token(struct secret **secret, const char *path, struct error *error)
{
	if (!secret_read_password(secret, path, error))
		return false;
	if (is_token(secret_bytes(*secret)))
		return true;
	secret_free(*secret);
	*secret = NULL;
	return error_set(error,
			 "secret %s: it must be one line of printable ASCII without spaces, of at "
			 "most %d bytes",
			 path, LONGEST_TOKEN);
}
