/*
 * From nothing to a configuration that runs: a few answers, and what has to be told to
 * the sender.  The secret itself is shown only to who asks for it.
 */
#include "bridge/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/commands/init_plan.h"
#include "bridge/commands/init_write.h"
#include "bridge/commands/options.h"
#include "bridge/commands/show.h"
#include "bridge/secret.h"

enum { PORT = 8443, PORT_HIGHEST = 65535, PORT_HTTPS = 443 };

static void
warn(void *context, const char *text)
{
	(void)context;
	(void)fprintf(stderr, "warning: %s\n", text);
}

static void
print_url(const struct init_plan *plan)
{
	bool is_ipv6 = strchr(plan->host, ':') != NULL;

	(void)printf("  URL          https://%s%s%s", is_ipv6 ? "[" : "", plan->host,
		     is_ipv6 ? "]" : "");
	if (plan->port != PORT_HTTPS)
		(void)printf(":%u", (unsigned)plan->port);
	(void)printf("/webhooks/%s\n", plan->sender->name);
}

static bool
print_secret(const char *path, struct error *error)
{
	struct secret *secret;

	if (!secret_read_password(&secret, path, error))
		return false;
	(void)fputs("  secret       ", stdout);
	show_text(secret_bytes(secret));
	(void)putchar('\n');
	secret_free(secret);
	return true;
}

static void
print_certificate(const struct init_plan *plan, const struct init_written *written)
{
	if (plan->certificate != NULL)
		return;
	(void)printf("\nThe certificate signed itself.  Few senders believe such a one: ");
	if (plan->request)
		(void)printf("give %s/request.pem to a certificate authority and put its answer, "
			     "chain behind it, into %s/cert.pem",
			     written->directory, written->directory);
	else
		(void)printf("put one for %s with its key into %s/cert.pem and key.pem", plan->host,
			     written->directory);
	(void)puts("; the daemon notices within seconds.");
}

static bool
print_outcome(const struct init_plan *plan, const struct init_written *written, bool show_secret,
	      struct error *error)
{
	const struct init_sender *sender = plan->sender;

	(void)printf("Written: %s\n\nAt %s (%s):\n", written->config, sender->title, sender->where);
	print_url(plan);
	(void)printf("  event types  %s\n", sender->types);
	if (sender->chooses_secret && plan->secret_from == NULL)
		(void)printf("  secret       it makes one: put that into %s instead of what is "
			     "there\n",
			     written->secret);
	else if (!show_secret)
		(void)printf("  secret       what stands in %s\n", written->secret);
	else if (!print_secret(written->secret, error))
		return false;
	print_certificate(plan, written);
	(void)printf("\nNext:\n"
		     "  siembridge run -c %s\n"
		     "and in another terminal\n"
		     "  siembridge test -c %s\n",
		     written->config, written->config);
	if (init_write_has_console(plan))
		(void)printf("What it does is on http://%s/ then; the password stands in "
			     "%s/secrets/console\n",
			     plan->console, written->directory);
	return true;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct init_plan plan = {.port = PORT, .console = "127.0.0.1:9464"};
	bool show_secret = false;
	const struct options_row rows[] = {
	    {.name = "directory", .letter = 'd', .text = &plan.directory},
	    {.name = "spool", .text = &plan.spool},
	    {.name = "host", .text = &plan.host},
	    {.name = "port", .number = &plan.port, .maximum = PORT_HIGHEST},
	    {.name = "sender", .text = &plan.sender_name},
	    {.name = "secret-from", .text = &plan.secret_from},
	    {.name = "syslog", .text = &plan.syslog},
	    {.name = "transport", .text = &plan.transport},
	    {.name = "splunk", .text = &plan.splunk},
	    {.name = "token-from", .text = &plan.token_from},
	    {.name = "file", .text = &plan.file},
	    {.name = "ca-file", .text = &plan.ca_file},
	    {.name = "collector", .text = &plan.collector},
	    {.name = "certificate", .text = &plan.certificate},
	    {.name = "private-key", .text = &plan.private_key},
	    {.name = "csr", .flag = &plan.request},
	    {.name = "console", .text = &plan.console},
	    {.name = "show-secret", .flag = &show_secret},
	    {.name = "yes", .letter = 'y', .flag = &plan.yes},
	};
	struct init_written written = {.config = ""};
	struct error error;
	size_t words;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	if (init_plan_complete(&plan, &error) && init_write(&plan, &written, warn, NULL, &error) &&
	    print_outcome(&plan, &written, show_secret, &error))
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	(void)fprintf(stderr, "siembridge init: %s\n", error.text);
	return EXIT_FAILURE;
}

const struct command command_init = {
    .name = "init",
    .usage = "init [--yes] [-d DIRECTORY] [--host NAME] [--sender NAME]\n"
	     "           [--syslog ADDRESS [--transport T] | --splunk URL --token-from FILE |\n"
	     "            --file PATH]",
    .summary = "write a first configuration, secret and certificate",
    .help =
	"Asks for what no option says, writes siembridge.yaml and what it names, and prints\n"
	"what has to be entered at the sender.  Nothing is overwritten; where something fails\n"
	"nothing is left.  The file passes siembridge check.\n"
	"\n"
	"  -y, --yes            ask nothing: default host this one's name, sender anyint,\n"
	"                       destination --file events.log\n"
	"  -d, --directory DIR  for all of it; default .\n"
	"  --spool DIR          for the events; default spool in DIR\n"
	"  --host NAME          DNS name or address under which senders reach this host\n"
	"  --port N             to listen on; default 8443\n"
	"  --sender NAME        anyint, github, stripe, slack, shopify, svix, generic (Standard\n"
	"                       Webhooks), token (Authorization: Bearer)\n"
	"  --secret-from FILE   take the sender's secret from there; default a fresh one\n"
	"  --syslog ADDRESS     host:port of a collector; --transport tcp (default), tls, relp,\n"
	"                       relp-tls, udp\n"
	"  --splunk URL         of an HTTP Event Collector; its token is in --token-from FILE\n"
	"  --file PATH          append to this file\n"
	"  --ca-file FILE       CA of the collector's certificate; default the system's\n"
	"  --collector NAME     profile: rsyslog, syslog-ng, sc4s, splunk, sentinel, qradar,\n"
	"                       arcsight, elastic\n"
	"  --certificate FILE   that there is already, with --private-key FILE; default one is\n"
	"                       made that signs itself\n"
	"  --csr                make a request to a certificate authority as well\n"
	"  --console ADDRESS    default 127.0.0.1:9464; none: no console\n"
	"  --show-secret        print the secret, not only where it is\n",
    .run = run,
};
