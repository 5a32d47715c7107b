/*
 * The table of formats: name -> function.  A format writes one event as one
 * line of text; nothing in the event can end that line or add another.
 */
#ifndef FORMAT_H
#define FORMAT_H

#include "formats/event.h"
#include "formats/text.h"

/* The byte order mark in front of the MSG of an RFC 5424 message. */
enum format_bom {
	FORMAT_BOM_AUTO,   /* for free text that is not ASCII, as RFC 5424 wants it */
	FORMAT_BOM_NEVER,  /* rsyslog leaves it in the text */
	FORMAT_BOM_ALWAYS, /* even before CEF, LEEF and JSON, which few collectors then find */
};

/* What stands in front of a line on a syslog transport, where it has no header itself. */
enum format_header { FORMAT_HEADER_RFC5424, FORMAT_HEADER_RFC3164 };

/* What of a line does not come from the event.  All text is borrowed, UTF-8. */
struct format_options {
	struct slice device_vendor; /* CEF, LEEF headers */
	struct slice device_product;
	struct slice device_version;
	enum format_header header;
	struct slice hostname;      /* RFC 5424 HOSTNAME: the bridge's; absent: "-" */
	struct slice app_name;      /* RFC 5424 APP-NAME */
	struct slice process_id;    /* RFC 5424 PROCID; absent: "-" */
	int facility;               /* 0..23 */
	uint32_t enterprise_number; /* of our SD-IDs */
	uint32_t sequence_number;   /* meta sequenceId, 1..2147483647; 0: leave it out */
	size_t maximum_length;      /* bytes of the whole message; 0: no limit but the text's */
	enum format_bom bom;
	int zone;                  /* minutes east of UTC, of RFC 3164's times */
	bool cef_time_text;        /* rt as "Oct 01 2026 12:00:00 UTC", not as milliseconds */
	char leef_delimiter;       /* of LEEF 2.0 */
	unsigned ocsf_minor;       /* 1, 3, 8, 9: of OCSF 1.1.0 ... 1.9.0 */
	bool cee;                  /* "@cee: " in front of the format json */
	struct {                   /* of Splunk's envelope; each a template (template.h) */
		struct slice host; /* empty: hostname */
		struct slice source;
		struct slice sourcetype;
		struct slice index; /* empty: left out */
	} hec;
};

/* What a message needs around it on a syslog transport. */
enum format_envelope {
	FORMAT_COMPLETE, /* it is a syslog message already: starts with <PRI> */
	FORMAT_PAYLOAD,  /* the MSG of one: needs a header in front */
	FORMAT_TAGGED,   /* likewise, but begins with what RFC 3164 takes for its TAG: "CEF:" */
};

struct format {
	const char *name; /* as in the configuration and `render --format` */
	const char *summary;
	enum format_envelope envelope;
	/*
	 * Appends the event to `text`, as a whole, whatever maximum_length says: what does
	 * not fit the text sets text->overflowed.  For most uses: format_write().
	 */
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
 * Appends the line of the event, without an end of line.  Where that is longer than
 * options->maximum_length or than the room in the text, the event is shortened step
 * by step (shorten.h) until it fits; text->overflowed if it never does.
 */
void format_write(const struct format *format, const struct event *event,
		  const struct format_options *options, struct text *text);

/*
 * The same for one whole message on a syslog transport: as written for
 * FORMAT_COMPLETE, else behind the header of the options with the PRI of the event.
 */
void format_write_syslog(const struct format *format, const struct event *event,
			 const struct format_options *options, struct text *text);

#endif
