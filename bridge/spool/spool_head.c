/*
 * Two slots of one page each, written in turn, so that a torn write leaves the
 * other one.  A slot, big-endian:
 *
 *   0  magic "sbhead1\n"    8  epoch    16  sequence    24  hash (32)
 *   56 FNV-1a of bytes 0..55 (8): against torn writes, not against people
 */
#include "bridge/spool/spool_head.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

enum { HEAD_SLOT = 4096, HEAD_LENGTH = 64, HEAD_CHECKED = 56 };

static const char head_magic[8] = "sbhead1\n";

struct spool_head {
	int file;
	int slot; /* to be written next */
};

static void
put_number(unsigned char *bytes, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(number >> (56 - 8 * i));
}

static uint64_t
get_number(const unsigned char *bytes)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

static uint64_t
checksum(const unsigned char *bytes)
{
	uint64_t sum = 14695981039346656037U;

	for (int i = 0; i < HEAD_CHECKED; i++)
		sum = (sum ^ bytes[i]) * 1099511628211U;
	return sum;
}

/* True where the slot holds a mark. */
static bool
read_slot(int file, int slot, struct spool_head_mark *mark)
{
	unsigned char bytes[HEAD_LENGTH];

	if (pread(file, bytes, sizeof(bytes), (off_t)slot * HEAD_SLOT) != (ssize_t)sizeof(bytes))
		return false;
	if (memcmp(bytes, head_magic, sizeof(head_magic)) != 0 ||
	    get_number(bytes + HEAD_CHECKED) != checksum(bytes))
		return false;
	mark->epoch = get_number(bytes + 8);
	mark->sequence = get_number(bytes + 16);
	memcpy(mark->hash, bytes + 24, SPOOL_HASH_LENGTH);
	return true;
}

/* Fills *mark, all zero where no slot holds one; the slot it is in. */
static int
newest(int file, struct spool_head_mark *mark)
{
	struct spool_head_mark other;

	if (!read_slot(file, 0, mark))
		memset(mark, 0, sizeof(*mark));
	if (!read_slot(file, 1, &other) || other.sequence <= mark->sequence)
		return 0;
	*mark = other;
	return 1;
}

/* A new file's name is durable only when its directory is. */
static bool
sync_directory(const char *directory, struct error *error)
{
	int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done;

	if (descriptor < 0)
		return error_set_errno(error, "spool: %s", directory);
	done = fsync(descriptor) == 0 || error_set_errno(error, "spool: fsync of %s", directory);
	close(descriptor);
	return done;
}

bool
spool_head_open(struct spool_head **out, const char *directory, struct spool_head_mark *mark,
		struct error *error)
{
	struct spool_head *head;
	char path[PATH_MAX];

	if (!spool_internal_path(path, directory, "head", error))
		return false;
	head = memory_allocate(sizeof(*head));
	head->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (head->file < 0) {
		error_set_errno(error, "spool: %s", path);
		goto fail;
	}
	if (!sync_directory(directory, error))
		goto fail;
	head->slot = 1 - newest(head->file, mark);
	*out = head;
	return true;
fail:
	spool_head_close(head);
	return false;
}

bool
spool_head_peek(const char *directory, struct spool_head_mark *mark)
{
	struct error ignored;
	char path[PATH_MAX];
	int file;

	memset(mark, 0, sizeof(*mark));
	if (!spool_internal_path(path, directory, "head", &ignored))
		return false;
	file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0)
		return false;
	(void)newest(file, mark);
	close(file);
	return mark->sequence > 0;
}

void
spool_head_close(struct spool_head *head)
{
	if (head == NULL)
		return;
	if (head->file >= 0)
		close(head->file);
	free(head);
}

bool
spool_head_write(struct spool_head *head, const struct spool_head_mark *mark, struct error *error)
{
	unsigned char bytes[HEAD_LENGTH];

	memcpy(bytes, head_magic, sizeof(head_magic));
	put_number(bytes + 8, mark->epoch);
	put_number(bytes + 16, mark->sequence);
	memcpy(bytes + 24, mark->hash, SPOOL_HASH_LENGTH);
	put_number(bytes + HEAD_CHECKED, checksum(bytes));
	if (pwrite(head->file, bytes, sizeof(bytes), (off_t)head->slot * HEAD_SLOT) !=
	    (ssize_t)sizeof(bytes))
		return error_set_errno(error, "spool: writing the head");
	head->slot = 1 - head->slot;
	return true;
}

bool
spool_head_sync(struct spool_head *head, struct error *error)
{
	if (fdatasync(head->file) != 0)
		return error_set_errno(error, "spool: fdatasync of the head");
	return true;
}
