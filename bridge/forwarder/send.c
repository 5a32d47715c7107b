#include "bridge/forwarder/send.h"

static const struct send_kind *const syslog_kinds[] = {
    [CONFIG_TRANSPORT_TCP] = &send_syslog_stream,
    [CONFIG_TRANSPORT_TLS] = &send_syslog_stream,
    [CONFIG_TRANSPORT_UDP] = &send_syslog_udp,
    [CONFIG_TRANSPORT_RELP] = &send_relp,
    [CONFIG_TRANSPORT_RELP_TLS] = &send_relp,
    [CONFIG_TRANSPORT_UNIX] = &send_syslog_unix,
    [CONFIG_TRANSPORT_UNIX_STREAM] = &send_syslog_stream,
};

const struct send_kind *
send_kind_of(const struct config_destination *destination)
{
	if (destination->syslog != NULL)
		return syslog_kinds[destination->syslog->transport];
	if (destination->email != NULL)
		return &send_email;
	if (destination->splunk_hec != NULL)
		return &send_hec;
	if (destination->http != NULL)
		return &send_http;
	return &send_file;
}
