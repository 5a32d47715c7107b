/*
 * Syslog over UDP (RFC 5426): one message a datagram, cut to max_message_size by
 * the formatter.  Loss on the way is silent; only what nobody listens for is told.
 */
#include <stdlib.h>

#include "bridge/forwarder/datagram.h"
#include "formats/memory.h"

static bool
udp_open(void **connection, const struct config_destination *destination, const char *address,
	 const struct connect_patience *patience, struct error *error)
{
	struct datagram *datagram = memory_allocate(sizeof(*datagram));

	(void)destination;
	if (!connect_datagram(&datagram->descriptor, address, patience, &datagram->peer, error)) {
		free(datagram);
		return false;
	}
	*connection = datagram;
	return true;
}

const struct send_kind send_syslog_udp = {
    .name = "syslog over udp",
    .open = udp_open,
    .peer = datagram_peer,
    .send = datagram_send,
    .confirm = datagram_confirm,
    .watch = datagram_watch,
    .close = datagram_close,
};
