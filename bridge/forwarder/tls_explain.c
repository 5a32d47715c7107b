#include "bridge/forwarder/tls_explain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "bridge/fingerprint.h"
#include "formats/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- parts of a sentence ---- */

/* What a server wrote: printable ASCII, anything else a question mark. */
static void
append_foreign(struct text *text, const unsigned char *bytes, int length)
{
	for (int i = 0; i < length; i++) {
		bool printable = bytes[i] >= ' ' && bytes[i] < 0x7f;

		text_append(text, printable ? (const char *)&bytes[i] : "?", 1);
	}
}

static void
append_string(struct text *text, const ASN1_STRING *string)
{
	append_foreign(text, ASN1_STRING_get0_data(string), ASN1_STRING_length(string));
}

/* "3 days", "1 hour": the largest unit that fits. */
static void
append_span(struct text *text, int days, int seconds)
{
	static const struct {
		const char *name;
		int seconds;
	} units[] = {{"hour", 3600}, {"minute", 60}, {"second", 1}};
	size_t i = 0;

	days = abs(days);
	seconds = abs(seconds);
	if (days > 0) {
		text_append_format(text, "%d day%s", days, days == 1 ? "" : "s");
		return;
	}
	while (i < 2 && seconds < units[i].seconds)
		i++;
	seconds /= units[i].seconds;
	text_append_format(text, "%d %s%s", seconds, units[i].name, seconds == 1 ? "" : "s");
}

/* Days and seconds from now to `time`; zeros where it cannot be read. */
static void
append_distance(struct text *text, const ASN1_TIME *time)
{
	int days = 0, seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, NULL, time) != 1)
		days = seconds = 0;
	append_span(text, days, seconds);
}

static void
append_common_name(struct text *text, const X509_NAME *name)
{
	int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	if (index < 0)
		text_append_string(text, "somebody without a name");
	else
		append_string(text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
}

static void
append_address(struct text *text, const ASN1_STRING *address)
{
	char printed[INET6_ADDRSTRLEN];
	int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;

	if (ASN1_STRING_length(address) != 4 && ASN1_STRING_length(address) != 16)
		text_append_byte(text, '?');
	else if (inet_ntop(family, ASN1_STRING_get0_data(address), printed, sizeof(printed)) !=
		 NULL)
		text_append_string(text, printed);
}

/* Every name that the certificate could be known by; as many as have room. */
static void
append_names(struct text *text, const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t start = text->length;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		size_t before = text->length;

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		text_append_string(text, before > start ? ", " : "");
		if (name->type == GEN_DNS)
			append_string(text, name->d.dNSName);
		else
			append_address(text, name->d.iPAddress);
		if (text->overflowed) {
			text_cut(text, before);
			break;
		}
	}
	if (text->length == start)
		append_common_name(text, X509_get_subject_name(certificate));
	GENERAL_NAMES_free(names);
}

/* ---- what is wrong with a certificate ---- */

/* The part of the sentence that is about the certificate. */
struct fault {
	struct text text;
	const X509 *certificate;
	const char *name; /* whom we wanted */
};

static void
tell_expired(struct fault *fault)
{
	text_append_string(&fault->text, "expired ");
	append_distance(&fault->text, X509_get0_notAfter(fault->certificate));
	text_append_string(&fault->text, " ago; it has to be renewed there");
}

static void
tell_not_yet_valid(struct fault *fault)
{
	text_append_string(&fault->text, "is not valid before ");
	append_distance(&fault->text, X509_get0_notBefore(fault->certificate));
	text_append_string(&fault->text, " from now; compare the clocks of both hosts");
}

static void
tell_wrong_name(struct fault *fault)
{
	char bytes[160];
	struct text names;

	text_start(&names, bytes, sizeof(bytes));
	append_names(&names, fault->certificate);
	text_append_format(
	    &fault->text, "is for %.*s, not for %.80s; if that is the one, put it into server_name",
	    (int)names.length, bytes, fault->name);
}

static void
tell_self_signed(struct fault *fault)
{
	text_append_string(&fault->text, "is signed by itself; if it is the right one, put it into "
					 "ca_file, or this into fingerprints: ");
	fingerprint_append(fault->certificate, &fault->text);
}

static void
tell_unknown_issuer(struct fault *fault)
{
	text_append_string(&fault->text, "was issued by ");
	append_common_name(&fault->text, X509_get_issuer_name(fault->certificate));
	text_append_string(&fault->text, ", whom nobody here knows; put the certificate of that "
					 "authority into ca_file");
}

static const struct {
	int code;
	void (*tell)(struct fault *fault);
} faults[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, tell_expired},
    {X509_V_ERR_CERT_NOT_YET_VALID, tell_not_yet_valid},
    {X509_V_ERR_HOSTNAME_MISMATCH, tell_wrong_name},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, tell_wrong_name},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, tell_self_signed},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, tell_unknown_issuer},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, tell_unknown_issuer},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, tell_unknown_issuer},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, tell_unknown_issuer},
};

void
tls_explain_certificate(int code, const X509 *certificate, int depth, const char *name,
			struct error *error)
{
	char bytes[384]; /* of the 512 of an error: the peer will stand in front */
	struct fault fault = {.certificate = certificate, .name = name};
	size_t i = 0;

	text_start(&fault.text, bytes, sizeof(bytes));
	while (i < COUNT(faults) && faults[i].code != code)
		i++;
	if (certificate == NULL || i == COUNT(faults))
		text_append_format(&fault.text, "does not hold: %s",
				   X509_verify_cert_error_string(code));
	else
		faults[i].tell(&fault);
	error_set(error, "%s %.*s", depth == 0 ? "its certificate" : "that of its authority",
		  (int)fault.text.length, bytes);
}

void
tls_explain_fingerprint(const X509 *certificate, struct error *error)
{
	char bytes[FINGERPRINT_LONGEST];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	fingerprint_append(certificate, &text);
	error_set(
	    error,
	    "the fingerprint of its certificate is not among those that are configured, but %.*s",
	    (int)text.length, bytes);
}

/* ---- what else went wrong ---- */

struct words {
	int code;
	const char *text;
};

/* Alerts of RFC 8446 6.2 that a server sends to a client it does not like. */
static const struct words alerts[] = {
    {SSL_AD_CERTIFICATE_REQUIRED, "it demands a certificate of ours; set certificate, private_key"},
    {SSL_AD_HANDSHAKE_FAILURE, "nothing that both of us can do; or it demands a certificate of "
			       "ours: set certificate, private_key"},
    {SSL_AD_BAD_CERTIFICATE, "it does not accept our certificate"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, "our certificate is of a kind that it does not accept"},
    {SSL_AD_CERTIFICATE_REVOKED, "our certificate has been revoked"},
    {SSL_AD_CERTIFICATE_EXPIRED, "our certificate has expired; renew it"},
    {SSL_AD_CERTIFICATE_UNKNOWN, "it does not accept our certificate"},
    {SSL_AD_UNKNOWN_CA, "it does not know who issued our certificate"},
    {SSL_AD_ACCESS_DENIED, "it does not admit the holder of our certificate"},
    {SSL_AD_PROTOCOL_VERSION, "it speaks neither TLS 1.2 nor TLS 1.3"},
    {SSL_AD_INSUFFICIENT_SECURITY, "it demands more security than we offer"},
    {SSL_AD_UNRECOGNIZED_NAME, "it does not know the name that we asked for; set server_name"},
};

static const struct words reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "what answers there is not TLS; is it the right port?"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "it speaks neither TLS 1.2 nor TLS 1.3"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "it broke the connection off"},
};

/* The words for a code, or what OpenSSL says of it, or that nothing is known. */
static const char *
words_for(const struct words *words, size_t count, int code, const char *otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].code == code)
			return words[i].text;
	return otherwise != NULL ? otherwise : "no reason is known";
}

void
tls_explain_failure(unsigned long code, const char *peer, struct error *error)
{
	int reason = ERR_GET_REASON(code);
	int alert = reason - SSL_AD_REASON_OFFSET;

	if (ERR_GET_LIB(code) == ERR_LIB_SSL && alert >= 0 && alert <= UINT8_MAX)
		error_set(
		    error, "refused by %s: %s", peer,
		    words_for(alerts, COUNT(alerts), alert, SSL_alert_desc_string_long(alert)));
	else
		error_set(
		    error, "no TLS with %s: %s", peer,
		    words_for(reasons, COUNT(reasons), reason, ERR_reason_error_string(code)));
}

void
tls_explain_file(unsigned long code, const char *what, const char *file, struct error *error)
{
	const char *reason = ERR_reason_error_string(code);

	errno = ERR_GET_REASON(code);
	if (ERR_SYSTEM_ERROR(code))
		error_set_errno(error, "%s %s cannot be used", what, file);
	else
		error_set(error, "%s %s cannot be used: %s", what, file,
			  reason != NULL ? reason : "no reason is known");
}

void
tls_explain_names(const X509 *certificate, struct text *text)
{
	text_append_string(text, "its certificate is for ");
	append_names(text, certificate);
	text_append_string(text, " and holds for ");
	append_distance(text, X509_get0_notAfter(certificate));
}
