#include "bridge/spool/order.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/read_file.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"
#include "formats/text.h"

enum {
	LINE = 64, /* bytes of a range's line at most */
	HEAD = 2048,
	LARGEST = 128 * 1024 * 1024, /* bytes of a file: two million ranges */
	POLL = 50,                   /* milliseconds */
};

static const struct action {
	const char *name;
	enum order_carrier carrier;
} actions[] = {
    [ORDER_REPLAY] = {"replay", ORDER_FORWARDER},
    [ORDER_DROP] = {"drop", ORDER_FORWARDER},
    [ORDER_DROP_REJECTED] = {"drop-rejected", ORDER_RECEIVER},
};

static const char *const carriers[] = {
    [ORDER_FORWARDER] = "forwarder-",
    [ORDER_RECEIVER] = "receiver-",
};

static const char first_line[] = "siembridge 1";

void
order_free(struct order *order)
{
	free(order->ranges);
	order->ranges = NULL;
	order->range_count = 0;
}

void
order_add(struct order *order, uint64_t first, uint64_t last)
{
	struct order_range *before =
	    order->range_count > 0 ? &order->ranges[order->range_count - 1] : NULL;

	if (before != NULL && first <= before->last + 1) {
		if (last > before->last)
			before->last = last;
		return;
	}
	/* grown in powers of two: a power is where the array is full */
	if (order->ranges == NULL || (order->range_count & (order->range_count - 1)) == 0)
		order->ranges = memory_resize_array(
		    order->ranges, order->range_count == 0 ? 1 : order->range_count * 2,
		    sizeof(*order->ranges));
	order->ranges[order->range_count++] = (struct order_range){first, last};
}

/* One line of at most `capacity` bytes with its NUL; what would break it is left out. */
static void
copy_line(char *to, size_t capacity, struct slice from)
{
	size_t length = 0;

	for (size_t i = 0; i < from.length && length + 1 < capacity; i++)
		if ((unsigned char)from.bytes[i] >= ' ')
			to[length++] = from.bytes[i];
	to[length] = '\0';
}

void
order_sign(struct order *order)
{
	const struct passwd *user = getpwuid(getuid());
	char number[32];
	struct text text;

	text_start(&text, number, sizeof(number));
	text_append_string(&text, "uid ");
	text_append_unsigned(&text, getuid());
	copy_line(order->by, sizeof(order->by),
		  user != NULL ? text_of(user->pw_name) : text_slice(&text));
	order->at = deadline_wall();
}

/* DIRECTORY/requests/NAME with the suffix, NUL-terminated, in `path` of PATH_MAX bytes. */
static bool
path_of(char *path, const char *directory, const char *name, const char *suffix,
	struct error *error)
{
	struct text text;

	text_start(&text, path, PATH_MAX);
	text_append_string(&text, directory);
	text_append_string(&text, "/requests");
	if (name[0] != '\0')
		text_append_byte(&text, '/');
	text_append_string(&text, name);
	text_append_string(&text, suffix);
	text_append_byte(&text, '\0');
	return !text.overflowed || error_set(error, "spool: the path of %s is too long", directory);
}

/* ---- writing ---- */

static void
write_text(const struct order *order, struct text *text)
{
	text_append_format(text, "%s\naction %s\nby %s\nat %" PRId64 "\n", first_line,
			   actions[order->action].name, order->by, order->at);
	if (order->destination[0] != '\0')
		text_append_format(text, "destination %s\n", order->destination);
	if (order->rate > 0)
		text_append_format(text, "rate %" PRIu64 "\n", order->rate);
	if (order->reason[0] != '\0')
		text_append_format(text, "reason %s\n", order->reason);
	for (size_t i = 0; i < order->range_count; i++)
		text_append_format(text, "range %" PRIu64 " %" PRIu64 "\n", order->ranges[i].first,
				   order->ranges[i].last);
}

static bool
write_all(int file, const struct text *text)
{
	size_t done = 0;

	while (done < text->length) {
		ssize_t length = write(file, text->bytes + done, text->length - done);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return false;
		done += (size_t)length;
	}
	return true;
}

static bool
sync_directory(const char *path, struct error *error)
{
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = descriptor >= 0 && fsync(descriptor) == 0;

	if (!done)
		error_set_errno(error, "spool: fsync of %s", path);
	if (descriptor >= 0)
		close(descriptor);
	return done;
}

/* root may give orders; the daemon must be able to read and remove them. */
static bool
give_to_owner(const char *directory, const char *path, int file, struct error *error)
{
	struct stat status;

	if (geteuid() != 0)
		return true;
	if (stat(directory, &status) != 0)
		return error_set_errno(error, "spool: %s", directory);
	if (status.st_uid == geteuid())
		return true;
	if ((file >= 0 ? fchown(file, status.st_uid, status.st_gid)
		       : chown(path, status.st_uid, status.st_gid)) != 0)
		return error_set_errno(error, "spool: %s cannot be given to uid %u", path,
				       status.st_uid);
	return true;
}

static bool
make_directory(const char *directory, struct error *error)
{
	char path[PATH_MAX];

	if (!path_of(path, directory, "", "", error))
		return false;
	if (mkdir(path, 0700) == 0)
		return give_to_owner(directory, path, -1, error) &&
		       sync_directory(directory, error);
	return errno == EEXIST || error_set_errno(error, "spool: %s cannot be made", path);
}

static bool
write_file(const char *directory, const struct order *order, const struct text *text,
	   struct error *error)
{
	char aside[PATH_MAX], path[PATH_MAX], parent[PATH_MAX];
	bool done = false;
	int file;

	if (!path_of(aside, directory, order->name, ".new", error) ||
	    !path_of(path, directory, order->name, "", error) ||
	    !path_of(parent, directory, "", "", error))
		return false;
	file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return error_set_errno(error, "spool: %s", aside);
	if (!write_all(file, text) || fsync(file) != 0)
		error_set_errno(error, "spool: writing %s", aside);
	else if (give_to_owner(directory, aside, file, error) &&
		 (rename(aside, path) == 0 || error_set_errno(error, "spool: %s", path)))
		done = sync_directory(parent, error);
	close(file);
	if (!done)
		(void)unlink(aside);
	return done;
}

bool
order_put(const char *directory, struct order *order, struct error *error)
{
	static unsigned count;
	struct text name, text;
	size_t capacity = HEAD + order->range_count * LINE;
	bool done;

	text_start(&name, order->name, sizeof(order->name));
	text_append_string(&name, carriers[actions[order->action].carrier]);
	text_append_padded(&name, (uint64_t)deadline_wall(), 15);
	text_append_format(&name, "-%ld-%u", (long)getpid(), ++count);
	text_append_byte(&name, '\0');
	if (name.overflowed)
		memory_panic("order: its name is too long");
	text_start(&text, memory_allocate(capacity), capacity);
	write_text(order, &text);
	done = !text.overflowed && text.length <= LARGEST;
	if (!done)
		error_set(error, "spool: the order is too long");
	done =
	    done && make_directory(directory, error) && write_file(directory, order, &text, error);
	free(text.bytes);
	return done;
}

bool
order_wait(const char *directory, const struct order *order, int64_t milliseconds)
{
	struct deadline deadline = deadline_after(milliseconds);
	struct error ignored;
	char path[PATH_MAX];

	if (!path_of(path, directory, order->name, "", &ignored))
		return false;
	while (access(path, F_OK) == 0) {
		if (deadline_passed(deadline))
			return false;
		(void)poll(NULL, 0, POLL);
	}
	return true;
}

/* ---- reading ---- */

/* The rest of the line behind the word and a space. */
static bool
has_word(struct slice line, const char *word, struct slice *rest)
{
	size_t length = strlen(word);

	if (line.length <= length || memcmp(line.bytes, word, length) != 0 ||
	    line.bytes[length] != ' ')
		return false;
	*rest = (struct slice){line.bytes + length + 1, line.length - length - 1};
	return true;
}

static bool
read_range(struct order *order, struct slice text)
{
	const char *space = memchr(text.bytes, ' ', text.length);
	struct slice left, right;
	uint64_t first, last;

	if (space == NULL)
		return false;
	left = (struct slice){text.bytes, (size_t)(space - text.bytes)};
	right = (struct slice){space + 1, text.length - left.length - 1};
	if (!text_parse_unsigned(left, INT64_MAX, &first) ||
	    !text_parse_unsigned(right, INT64_MAX, &last) || first > last ||
	    (order->range_count > 0 && first <= order->ranges[order->range_count - 1].last))
		return false;
	order_add(order, first, last);
	return true;
}

static bool
read_action(struct order *order, struct slice text)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (text_slice_is(text, actions[i].name)) {
			order->action = (enum order_action)i;
			return true;
		}
	return false;
}

static bool
read_line(struct order *order, struct slice line)
{
	struct slice rest;
	uint64_t number;

	if (has_word(line, "range", &rest))
		return read_range(order, rest);
	if (has_word(line, "action", &rest))
		return read_action(order, rest);
	if (has_word(line, "rate", &rest))
		return text_parse_unsigned(rest, UINT32_MAX, &order->rate);
	if (has_word(line, "at", &rest)) {
		if (!text_parse_unsigned(rest, INT64_MAX, &number))
			return false;
		order->at = (int64_t)number;
	} else if (has_word(line, "destination", &rest)) {
		copy_line(order->destination, sizeof(order->destination), rest);
	} else if (has_word(line, "by", &rest)) {
		copy_line(order->by, sizeof(order->by), rest);
	} else if (has_word(line, "reason", &rest)) {
		copy_line(order->reason, sizeof(order->reason), rest);
	} else {
		return text_slice_is(line, first_line);
	}
	return true;
}

static bool
read_text(struct order *order, struct slice text)
{
	while (text.length > 0) {
		const char *end = memchr(text.bytes, '\n', text.length);
		size_t length;

		if (end == NULL)
			return false;
		length = (size_t)(end - text.bytes);
		if (!read_line(order, (struct slice){text.bytes, length}))
			return false;
		text.bytes += length + 1;
		text.length -= length + 1;
	}
	return order->range_count > 0;
}

static bool
read_whole(const char *path, struct order *order, struct error *error)
{
	struct stat status;
	size_t length;
	char *bytes;
	bool done;

	if (stat(path, &status) != 0)
		return error_set_errno(error, "%s", path);
	if (status.st_size < 0 || status.st_size > LARGEST)
		return error_set(error, "%s is too long", path);
	bytes = memory_allocate((size_t)status.st_size + 1);
	done = read_file(path, bytes, (size_t)status.st_size, &length, &status, error);
	if (done && !read_text(order, (struct slice){bytes, length}))
		done = error_set(error, "%s makes no sense", path);
	free(bytes);
	return done;
}

/* The lowest name that is this carrier's: names rise with time. */
static bool
find_oldest(const char *parent, enum order_carrier carrier, char *name)
{
	const char *prefix = carriers[carrier];
	DIR *entries = opendir(parent);
	const struct dirent *entry;

	name[0] = '\0';
	if (entries == NULL)
		return false;
	/* one thread reads this stream */
	while ((entry = readdir(entries)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
		size_t length = strlen(entry->d_name);

		if (length >= ORDER_NAME || strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    strchr(entry->d_name, '.') != NULL)
			continue;
		if (name[0] == '\0' || strcmp(entry->d_name, name) < 0)
			memcpy(name, entry->d_name, length + 1);
	}
	(void)closedir(entries);
	return name[0] != '\0';
}

bool
order_next(const char *directory, enum order_carrier carrier, struct order *order, bool *found,
	   struct error *error)
{
	char parent[PATH_MAX], path[PATH_MAX], bad[PATH_MAX];

	memset(order, 0, sizeof(*order));
	*found = false;
	if (!path_of(parent, directory, "", "", error))
		return false;
	if (!find_oldest(parent, carrier, order->name))
		return true;
	if (!path_of(path, directory, order->name, "", error) ||
	    !path_of(bad, directory, order->name, ".bad", error))
		return false;
	*found = read_whole(path, order, error) && actions[order->action].carrier == carrier;
	if (*found)
		return true;
	order_free(order);
	log_error("request", "%s cannot be carried out, and is renamed to .bad", order->name);
	return rename(path, bad) == 0 || error_set_errno(error, "spool: %s", path);
}

bool
order_done(const char *directory, const struct order *order, struct error *error)
{
	char parent[PATH_MAX], path[PATH_MAX];

	if (!path_of(parent, directory, "", "", error) ||
	    !path_of(path, directory, order->name, "", error))
		return false;
	if (unlink(path) != 0 && errno != ENOENT)
		return error_set_errno(error, "spool: %s", path);
	return sync_directory(parent, error);
}
