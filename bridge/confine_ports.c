/*
 * Which TCP ports a role connects to, out of the configuration.
 *
 * Behind a proxy only the proxy's own.  An address that is in a file (url_file) is read
 * here: where the file comes later, or another one takes its place, the process starts
 * anew (confine_files_are_stale()).  Weakness: one that is written over in place and then
 * names another port is refused until the next start.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/confine_internal.h"
#include "bridge/http_client.h"
#include "bridge/secret.h"
#include "formats/memory.h"
#include "formats/text.h"

enum { DNS = 53 };

struct ports {
	bool (*allow)(void *context, uint16_t port);
	void *context;
};

static bool
take_url(const struct ports *ports, const char *url, const char *proxy)
{
	uint16_t port;
	const char *peer = proxy != NULL ? proxy : url;

	/* what is no URL cannot be connected to either */
	return peer == NULL || !http_client_port(peer, proxy != NULL, &port) ||
	       ports->allow(ports->context, port);
}

static bool
take_address(const struct ports *ports, const char *address)
{
	char host[256], port[8];
	struct error error;
	uint64_t number;

	/* a path, of a unix socket, is none */
	if (address == NULL || !config_parse_address(address, host, port, &error) ||
	    !text_parse_unsigned(text_of(port), UINT16_MAX, &number))
		return true;
	return ports->allow(ports->context, (uint16_t)number);
}

/* Only the port of it leaves this function. */
static bool
take_url_file(const struct ports *ports, const char *path)
{
	struct secret *secret;
	struct error error;
	struct slice bytes;
	char *url;
	bool done;

	if (!secret_read_password(&secret, path, &error))
		return true;
	bytes = secret_bytes(secret);
	url = memory_copy_text(bytes.bytes, bytes.length);
	done = take_url(ports, url, NULL);
	free(url);
	secret_free(secret);
	return done;
}

static bool
take_http(const struct ports *ports, const struct config_http *http)
{
	if (http->url_file != NULL && http->proxy == NULL)
		return take_url_file(ports, http->url_file);
	return take_url(ports, http->url, http->proxy);
}

static bool
take_syslog(const struct ports *ports, const struct config_syslog *syslog)
{
	for (unsigned i = 0; i < syslog->several.count; i++)
		if (!take_address(ports, syslog->several.addresses[i]))
			return false;
	return take_address(ports, syslog->address);
}

static bool
take_splunk_hec(const struct ports *ports, const struct config_splunk_hec *hec)
{
	for (unsigned i = 0; i < hec->several.count; i++)
		if (!take_url(ports, hec->several.addresses[i], hec->proxy))
			return false;
	return hec->url == NULL || take_url(ports, hec->url, hec->proxy);
}

static bool
take_destination(const struct ports *ports, const struct config_destination *destination)
{
	return (destination->syslog == NULL || take_syslog(ports, destination->syslog)) &&
	       (destination->email == NULL || take_address(ports, destination->email->server)) &&
	       (destination->splunk_hec == NULL ||
		take_splunk_hec(ports, destination->splunk_hec)) &&
	       (destination->http == NULL || take_http(ports, destination->http));
}

bool
confine_ports_each(enum confine_ports row, const struct config *config,
		   bool (*allow)(void *context, uint16_t port), void *context)
{
	const struct ports ports = {.allow = allow, .context = context};

	if (row == CONFINE_PORTS_DESTINATIONS)
		for (unsigned i = 0; i < config->destinations_count; i++)
			if (!take_destination(&ports, &config->destinations[i]))
				return false;
	if (row == CONFINE_PORTS_POLLS)
		for (unsigned i = 0; i < config->sources_count; i++) {
			const struct config_poll *poll = config->sources[i].poll;

			if (poll != NULL && !take_url(&ports, poll->url, poll->proxy))
				return false;
		}
	/* answers too long for UDP */
	return row == CONFINE_PORTS_NONE || row == CONFINE_PORTS_FREE || allow(context, DNS);
}
