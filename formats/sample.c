#include "formats/sample.h"

#include <string.h>

#include "formats/timestamp.h"

/*
 * JSON with ' for ", so that it can be read here.  "$ID" is the sample's own id,
 * "$TIME" its time, "$TYPE" its type.
 */
static const char head[] = "{'id':'$ID','type':'$TYPE','timestamp':'$TIME','data':{";
static const char tail[] = ",'organization':{'id':'org_acme','name':'Acme'}}}";

/* clang-format off */
static const struct {
	const char *type;
	const char *data;
} samples[] = {
	{"key.created",
	 "'api_key':{'id':'key_7Hq2','name':'prod-gateway'},"
	 "'actor':{'id':'usr_19','name':'Alice Ames','email':'alice@example.com','role':'admin',"
	 "'ip':'203.0.113.7','user_agent':'Mozilla/5.0 (X11; Linux x86_64)'},"
	 "'project':{'id':'prj_web','name':'web'}"},
	{"key.disabled",
	 "'api_key':{'id':'key_7Hq2','name':'prod-gateway'},"
	 "'reason':'found in a public repository',"
	 "'actor':{'id':'usr_19','name':'Alice Ames','email':'alice@example.com','role':'admin',"
	 "'ip':'2001:db8::7'},"
	 "'project':{'id':'prj_web','name':'web'}"},
	{"key.deleted",
	 "'api_key':{'id':'key_7Hq2','name':'prod-gateway'},"
	 "'actor':{'id':'usr_19','name':'Alice Ames','email':'alice@example.com','role':'admin',"
	 "'ip':'203.0.113.7','user_agent':'anyint-cli/2.4'},"
	 "'project':{'id':'prj_web','name':'web'}"},
	{"member.invited",
	 "'invitee':{'id':'inv_31','email':'bob@example.com','role':'developer'},"
	 "'actor':{'id':'usr_19','name':'Alice Ames','email':'alice@example.com','role':'admin',"
	 "'ip':'203.0.113.7'},"
	 "'message':'Welcome to the team'"},
	{"member.joined",
	 "'member':{'id':'usr_31','name':'Bob Zo\xC3\xAB','email':'bob@example.com','role':'developer'},"
	 "'invited_by':{'id':'usr_19','name':'Alice Ames','email':'alice@example.com'},"
	 "'ip_address':'198.51.100.23'"},
	{"member.removed",
	 "'member':{'id':'usr_31','name':'Bob Zo\xC3\xAB','email':'bob@example.com','role':'developer'},"
	 "'removed_by':{'id':'usr_19','name':'Alice Ames','email':'alice@example.com','role':'admin'},"
	 "'reason':'left the company'"},
	{"usage.alert",
	 "'usage':{'metric':'tokens','value':8000000,'limit':10000000,'percent':80},"
	 "'message':'80% of the monthly token budget is used',"
	 "'project':{'id':'prj_web','name':'web'}"},
	{"usage.limit_reached",
	 "'usage':{'metric':'spend_usd','value':500.25,'limit':500,'percent':100.05},"
	 "'action':'blocked',"
	 "'message':'Requests are refused until the limit is raised',"
	 "'project':{'id':'prj_web','name':'web'}"},
	{"billing.generated",
	 "'invoice':{'id':'in_2026_10','amount':1249.50,'currency':'USD','due_date':'2026-10-31',"
	 "'status':'open'},"
	 "'message':'Invoice for September 2026; it is paid by bank transfer within 30 days'"},
	{"billing.paid",
	 "'invoice':{'id':'in_2026_10','amount':1249.50,'currency':'USD','due_date':'2026-10-31',"
	 "'status':'paid'},"
	 "'message':'Paid by bank transfer; a receipt was sent to billing@example.com'"},
	{"billing.overdue",
	 "'invoice':{'id':'in_2026_10','amount':1249.50,'currency':'USD','due_date':'2026-10-31',"
	 "'status':'overdue'},"
	 "'message':'Payment is 14 days late; access ends on 2026-11-30'"},
	{"security.login_anomaly",
	 "'alert':{'id':'alr_5512','rule':'impossible_travel','title':'Two continents within an hour',"
	 "'severity':'high','status':'open'},"
	 "'actor':{'id':'usr_19','email':'alice@example.com','ip':'192.0.2.44','user_agent':'curl/8.5.0'},"
	 "'message':'Oslo 12:01, Lima 12:40'"},
};
/* clang-format on */

static const char generic[] = "'message':'A sample of a type without a sample of its own'";

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

const char *
sample_type(size_t i)
{
	return i < SAMPLES ? samples[i].type : NULL;
}

static bool
take(const char **left, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*left, word, length) != 0)
		return false;
	*left += length;
	return true;
}

static void
fill_in(const char *left, struct slice type, struct slice id, int64_t occurred_at,
	struct text *text)
{
	while (*left != '\0') {
		if (take(&left, "$ID")) {
			text_append_slice(text, id);
		} else if (take(&left, "$TIME")) {
			timestamp_write_rfc3339(text, occurred_at);
		} else if (take(&left, "$TYPE")) {
			text_append_slice(text, type);
		} else {
			text_append(text, *left == '\'' ? "\"" : left, 1);
			left++;
		}
	}
}

void
sample_write(struct slice type, struct slice id, int64_t occurred_at, struct text *text)
{
	const char *data = generic;

	for (size_t i = 0; i < SAMPLES; i++)
		if (text_slice_is(type, samples[i].type))
			data = samples[i].data;
	fill_in(head, type, id, occurred_at, text);
	fill_in(data, type, id, occurred_at, text);
	fill_in(tail, type, id, occurred_at, text);
}
