/*
 * The table of formats: name -> function.  A format writes one event as one
 * line of text; nothing in the event can end that line or add another.
 */
#ifndef FORMAT_H
#define FORMAT_H

#include "formats/event.h"
#include "formats/text.h"

/* What of a line does not come from the event.  All text is borrowed, UTF-8. */
struct format_options {
	struct slice device_vendor; /* CEF, LEEF headers */
	struct slice device_product;
	struct slice device_version;
	struct slice hostname;      /* RFC 5424 HOSTNAME: the bridge's; absent: "-" */
	struct slice app_name;      /* RFC 5424 APP-NAME */
	struct slice process_id;    /* RFC 5424 PROCID; absent: "-" */
	int facility;               /* 0..23 */
	uint32_t enterprise_number; /* of our SD-IDs */
	uint32_t sequence_number;   /* meta sequenceId, 1..2147483647; 0: leave it out */
	size_t maximum_length;      /* bytes of the whole message; 0: no limit but the text's */
	struct {                    /* of Splunk's envelope; each a template (template.h) */
		struct slice host;  /* empty: hostname */
		struct slice source;
		struct slice sourcetype;
		struct slice index; /* empty: left out */
	} hec;
};

/* What a message needs around it on a syslog transport. */
enum format_envelope {
	FORMAT_COMPLETE, /* it is a syslog message already: starts with <PRI> */
	FORMAT_PAYLOAD,  /* the MSG of one: put rfc5424_envelope() around it */
};

struct format {
	const char *name; /* as in the configuration and `render --format` */
	const char *summary;
	enum format_envelope envelope;
	/* Appends the event to `text`; what cannot fit sets text->overflowed. */
	void (*write)(const struct event *event, const struct format_options *options,
		      struct text *text);
};

/* The format of that name, or NULL. */
const struct format *format_find(struct slice name);

/* The i-th format, or NULL behind the last: for help texts and checks. */
const struct format *format_at(size_t i);

/* AnyInt, siembridge, facility 13 ...: what holds where nothing is configured. */
void format_default_options(struct format_options *options);

/*
 * One whole message for a syslog transport: as written for FORMAT_COMPLETE, else
 * behind an RFC 5424 header with the PRI of the event.
 */
void format_write_syslog(const struct format *format, const struct event *event,
			 const struct format_options *options, struct text *text);

#endif
