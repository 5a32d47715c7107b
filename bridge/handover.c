/*
 * An item is five numbers of four bytes and then its texts, an answer is one number.
 * Whoever waits does so for at most PATIENCE: a receiver that is under way to its end,
 * or a poller that was stopped, must not hold the other.
 */
#include "bridge/handover.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "formats/memory.h"

enum {
	VERSION = 1,
	PATIENCE = 20, /* seconds */
	BACKLOG = 4,
	LONGEST_NAME = 4096,
	LONGEST_BODY = 16 * 1024 * 1024, /* as listen.max_body_size at most */
};

struct head {
	uint32_t version;
	uint32_t source, id, origin, body; /* lengths, bytes */
};

static bool
set_address(struct sockaddr_un *address, const char *directory, struct error *error)
{
	struct text path;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	text_start(&path, address->sun_path, sizeof(address->sun_path) - 1);
	text_append_string(&path, directory);
	text_append_string(&path, "/poll.sock");
	return !path.overflowed ||
	       error_set(error,
			 "%s/poll.sock: longer than the %zu bytes that the name of a "
			 "socket may have; take a shorter spool.directory",
			 directory, sizeof(address->sun_path) - 1);
}

static bool
set_patience(int descriptor)
{
	const struct timeval patience = {.tv_sec = PATIENCE};

	return setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	       setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0;
}

bool
handover_listen(int *out, const char *directory, struct error *error)
{
	struct sockaddr_un address;
	int descriptor;

	if (!set_address(&address, directory, error))
		return false;
	descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return error_set_errno(error, "no unix socket");
	if ((unlink(address.sun_path) != 0 && errno != ENOENT) ||
	    bind(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(descriptor, BACKLOG) != 0) {
		error_set_errno(error, "%s", address.sun_path);
		(void)close(descriptor);
		return false;
	}
	*out = descriptor;
	return true;
}

bool
handover_connect(int *out, const char *directory, struct error *error)
{
	struct sockaddr_un address;
	int descriptor;

	if (!set_address(&address, directory, error))
		return false;
	descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return error_set_errno(error, "no unix socket");
	if (!set_patience(descriptor) ||
	    connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		error_set_errno(error, "no receiver takes events at %s", address.sun_path);
		(void)close(descriptor);
		return false;
	}
	*out = descriptor;
	return true;
}

/* ---- bytes ---- */

static bool
send_all(int descriptor, struct slice bytes, struct error *error)
{
	while (bytes.length > 0) {
		ssize_t sent = send(descriptor, bytes.bytes, bytes.length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return error_set_errno(error, "handing over");
		bytes.bytes += sent;
		bytes.length -= (size_t)sent;
	}
	return true;
}

/* False: with an empty error where the end was before the first byte. */
static bool
read_all(int descriptor, void *bytes, size_t length, struct error *error)
{
	size_t done = 0;

	error->text[0] = '\0';
	while (done < length) {
		ssize_t got = recv(descriptor, (char *)bytes + done, length - done, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(error, "being handed over to");
		if (got == 0)
			return done > 0 && error_set(error, "the other end left in the middle");
		done += (size_t)got;
	}
	return true;
}

/* ---- items ---- */

bool
handover_give(int descriptor, const struct handover_item *item, enum handover_outcome *outcome,
	      struct error *error)
{
	const struct head head = {VERSION, (uint32_t)item->source.length, (uint32_t)item->id.length,
				  (uint32_t)item->origin.length, (uint32_t)item->body.length};
	uint32_t answer = HANDOVER_OUTCOMES;

	if (item->body.length > LONGEST_BODY) {
		*outcome = HANDOVER_NO_EVENT;
		return true;
	}
	if (!send_all(descriptor, (struct slice){(const char *)&head, sizeof(head)}, error) ||
	    !send_all(descriptor, item->source, error) || !send_all(descriptor, item->id, error) ||
	    !send_all(descriptor, item->origin, error) || !send_all(descriptor, item->body, error))
		return false;
	if (!read_all(descriptor, &answer, sizeof(answer), error) || answer >= HANDOVER_OUTCOMES)
		return error->text[0] != '\0' ? false
					      : error_set(error, "the receiver gave no answer");
	*outcome = (enum handover_outcome)answer;
	return true;
}

static void
take_slice(struct slice *slice, uint32_t length, const char **position)
{
	*slice = (struct slice){length > 0 ? *position : NULL, length};
	*position += length;
}

bool
handover_take(int connection, char **memory, struct handover_item *item, struct error *error)
{
	struct head head;
	const char *position;
	size_t length;

	if (!set_patience(connection))
		return error_set_errno(error, "no patience with a unix socket");
	if (!read_all(connection, &head, sizeof(head), error))
		return false;
	if (head.version != VERSION || head.source > LONGEST_NAME || head.id > LONGEST_NAME ||
	    head.origin > LONGEST_NAME || head.body > LONGEST_BODY)
		return error_set(error, "what was handed over is no item");
	length = (size_t)head.source + head.id + head.origin + head.body;
	*memory = memory_allocate(length + 1);
	if (!read_all(connection, *memory, length, error)) {
		free(*memory);
		return error->text[0] != '\0'
			   ? false
			   : error_set(error, "the other end left in the middle");
	}
	position = *memory;
	take_slice(&item->source, head.source, &position);
	take_slice(&item->id, head.id, &position);
	take_slice(&item->origin, head.origin, &position);
	take_slice(&item->body, head.body, &position);
	return true;
}

bool
handover_answer(int connection, enum handover_outcome outcome, struct error *error)
{
	const uint32_t answer = (uint32_t)outcome;

	return send_all(connection, (struct slice){(const char *)&answer, sizeof(answer)}, error);
}
