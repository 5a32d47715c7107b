#include "bridge/commands/init_plan.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge/config.h"
#include "formats/memory.h"
#include "formats/text.h"

enum { LONGEST_HOST = 253 /* RFC 1035 2.3.4, as text */ };

/* clang-format off */
static const struct init_sender senders[] = {
	{"anyint", "AnyInt", "standard-webhooks", NULL, NULL, INIT_SECRET_WHSEC, false,
	 "Webhooks, a new endpoint",
	 "key.*, member.*, usage.*, billing.*, security.*"},
	{"github", "GitHub", "github", "github", NULL, INIT_SECRET_HEX, false,
	 "Settings, Webhooks, Add webhook; content type application/json",
	 "Send me everything, or: Memberships, Organizations, Secret scanning alerts ..."},
	{"stripe", "Stripe", "stripe", "generic", NULL, INIT_SECRET_WHSEC, true,
	 "Developers, Webhooks, Add endpoint",
	 "those that you want; each comes under its own name"},
	{"slack", "Slack", "slack", "generic", "    fields: {type: [/event/type, /type]}\n", INIT_SECRET_HEX, true,
	 "your app, Event Subscriptions, Request URL (while the bridge runs)",
	 "team_join, channel_created ..."},
	{"shopify", "Shopify", "shopify", "generic", "    type: shopify.event\n", INIT_SECRET_HEX, true,
	 "Settings, Notifications, Webhooks; format JSON",
	 "those that you want; each comes as shopify.event"},
	{"svix", "the sender (by Svix)", "svix", "generic", NULL, INIT_SECRET_WHSEC, true,
	 "Add Endpoint",
	 "those that you want; each comes under its own name"},
	{"generic", "the sender", "standard-webhooks", "generic", NULL, INIT_SECRET_WHSEC, false,
	 "its webhooks, signed as Standard Webhooks",
	 "those that you want; each comes under its own name"},
	{"token", "the sender", "bearer", "generic", NULL, INIT_SECRET_HEX, false,
	 "its webhooks, with the header Authorization: Bearer and the secret",
	 "those that you want; each comes under its own name"},
};
/* clang-format on */

const struct init_sender *
init_plan_sender(size_t i)
{
	return i < sizeof(senders) / sizeof(senders[0]) ? &senders[i] : NULL;
}

/*
 * A line of stdin into *value, `usual` where it is empty and nothing is to be asked;
 * `usual` NULL: it may stay empty, and *value NULL.
 */
static bool
ask(struct init_plan *plan, const char *question, const char *usual, const char **value,
    struct error *error)
{
	char *answer;
	size_t length;

	if (plan->yes) {
		*value = usual;
		return true;
	}
	if (plan->answer_count == INIT_ANSWERS)
		memory_panic("more questions than room for answers");
	answer = plan->answers[plan->answer_count++];
	(void)printf("%s [%s]: ", question, usual != NULL ? usual : "none");
	(void)fflush(stdout);
	if (fgets(answer, INIT_LONGEST_ANSWER, stdin) == NULL)
		return error_set(error,
				 "the answers ended at \"%s\"; give it as an option, or "
				 "--yes to be asked nothing",
				 question);
	length = strcspn(answer, "\n");
	if (answer[length] != '\n' && length == INIT_LONGEST_ANSWER - 1)
		return error_set(error, "the answer to \"%s\" is too long", question);
	answer[length] = '\0';
	*value = length > 0 ? answer : usual;
	return true;
}

static bool
is_host(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	size_t length = strlen(host);

	if (inet_pton(AF_INET6, host, bytes) == 1)
		return true;
	for (size_t i = 0; i < length; i++)
		if (!((host[i] >= 'a' && host[i] <= 'z') || (host[i] >= 'A' && host[i] <= 'Z') ||
		      (host[i] >= '0' && host[i] <= '9') || host[i] == '-' ||
		      (host[i] == '.' && i > 0 && host[i - 1] != '.')))
			return false;
	return length > 0 && length <= LONGEST_HOST && host[0] != '-' && host[length - 1] != '.';
}

static bool
ask_host(struct init_plan *plan, struct error *error)
{
	static char own[LONGEST_HOST + 1];

	if (gethostname(own, sizeof(own)) != 0 || own[LONGEST_HOST] != '\0' || own[0] == '\0')
		memccpy(own, "localhost", '\0', sizeof(own));
	if (plan->host == NULL &&
	    !ask(plan, "Name under which senders reach this host", own, &plan->host, error))
		return false;
	return is_host(plan->host) ||
	       error_set(error, "'%.80s' is no host name, as in hooks.example.com", plan->host);
}

static bool
find_sender(struct init_plan *plan, struct error *error)
{
	char bytes[200];
	struct text names;

	text_start(&names, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		if (strcmp(senders[i].name, plan->sender_name) == 0) {
			plan->sender = &senders[i];
			return true;
		}
		text_append_string(&names, i > 0 ? ", " : "");
		text_append_string(&names, senders[i].name);
	}
	return error_set(error, "there is no sender '%.40s' here; it is one of %.*s",
			 plan->sender_name, (int)names.length, names.bytes);
}

static bool
ask_sender(struct init_plan *plan, struct error *error)
{
	if (plan->sender_name == NULL &&
	    !ask(plan, "Sender (anyint, github, stripe, slack, shopify, svix, generic, token)",
		 "anyint", &plan->sender_name, error))
		return false;
	if (!find_sender(plan, error))
		return false;
	return plan->secret_from != NULL ||
	       ask(plan,
		   plan->sender->chooses_secret ? "File with the secret that it gave you"
						: "File with its secret, if there is one already",
		   NULL, &plan->secret_from, error);
}

static bool
ask_syslog(struct init_plan *plan, struct error *error)
{
	if (!ask(plan, "Address of the collector", "127.0.0.1:514", &plan->syslog, error))
		return false;
	if (plan->transport == NULL &&
	    !ask(plan, "Transport (tcp, tls, relp, relp-tls, udp)", "tcp", &plan->transport, error))
		return false;
	return plan->ca_file != NULL || strstr(plan->transport, "tls") == NULL ||
	       ask(plan, "File with the CA of its certificate; none: the system's", NULL,
		   &plan->ca_file, error);
}

static bool
ask_splunk(struct init_plan *plan, struct error *error)
{
	if (plan->splunk == NULL && !ask(plan, "URL of the event collector",
					 "https://127.0.0.1:8088", &plan->splunk, error))
		return false;
	if (plan->token_from == NULL &&
	    !ask(plan, "File with its token", NULL, &plan->token_from, error))
		return false;
	return plan->token_from != NULL ||
	       error_set(error, "Splunk HEC needs a token; give --token-from FILE");
}

static bool
ask_destination(struct init_plan *plan, struct error *error)
{
	int given = (plan->syslog != NULL) + (plan->splunk != NULL) + (plan->file != NULL);
	const char *kind = "";

	if (given > 1)
		return error_set(error,
				 "--syslog, --splunk and --file are three kinds of "
				 "destination; give one, and write the others into the file");
	if (plan->splunk != NULL)
		return ask_splunk(plan, error);
	if (given == 1)
		return true;
	if (!ask(plan, "Destination (syslog, splunk, file)", "file", &kind, error))
		return false;
	if (strcmp(kind, "syslog") == 0)
		return ask_syslog(plan, error);
	if (strcmp(kind, "splunk") == 0)
		return ask_splunk(plan, error);
	if (strcmp(kind, "file") == 0)
		return ask(plan, "File that events are appended to", "events.log", &plan->file,
			   error);
	return error_set(error, "'%.40s' is none of syslog, splunk, file", kind);
}

bool
init_plan_complete(struct init_plan *plan, struct error *error)
{
	if ((plan->certificate == NULL) != (plan->private_key == NULL))
		return error_set(error, "--certificate and --private-key go together");
	if (plan->request && plan->certificate != NULL)
		return error_set(error, "--csr makes a key of its own; leave out --certificate");
	return (plan->directory != NULL || ask(plan, "Directory", ".", &plan->directory, error)) &&
	       ask_host(plan, error) && ask_sender(plan, error) && ask_destination(plan, error);
}
