/*
 * Syslog over a unix datagram socket, /dev/log: the local daemon takes each message
 * whole or lets us wait.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "bridge/forwarder/datagram.h"
#include "formats/memory.h"

static bool
unix_open(void **connection, const struct config_destination *destination, const char *address,
	  const struct connect_patience *patience, struct error *error)
{
	struct datagram *datagram = memory_allocate(sizeof(*datagram));

	(void)destination;
	(void)patience;
	if (!connect_unix(&datagram->descriptor, address, SOCK_DGRAM, &datagram->peer, error)) {
		free(datagram);
		return false;
	}
	*connection = datagram;
	return true;
}

const struct send_kind send_syslog_unix = {
    .name = "syslog over unix",
    .open = unix_open,
    .peer = datagram_peer,
    .send = datagram_send,
    .confirm = datagram_confirm,
    .watch = datagram_watch,
    .close = datagram_close,
};
