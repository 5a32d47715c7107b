#include "formats/format.h"

#include <string.h>

#include "formats/cef.h"
#include "formats/ecs.h"
#include "formats/hec.h"
#include "formats/leef.h"
#include "formats/ocsf.h"
#include "formats/plain_json.h"
#include "formats/rfc3164.h"
#include "formats/rfc5424.h"
#include "formats/shorten.h"

static void
write_cef_3164(const struct event *event, const struct format_options *options, struct text *text)
{
	rfc3164_header(text, event, options);
	cef_write(event, options, text);
}

static void
write_leef_3164(const struct event *event, const struct format_options *options, struct text *text)
{
	rfc3164_header(text, event, options);
	leef_write(event, options, text);
}

static const struct format formats[] = {
    {"cef", "CEF 0, the ArcSight Common Event Format", FORMAT_TAGGED, cef_write},
    {"cef1", "CEF 1, with the keys of version 1.2", FORMAT_TAGGED, cef_write_1},
    {"cef-3164", "CEF 0 behind an RFC 3164 header: Microsoft Sentinel, ArcSight", FORMAT_COMPLETE,
     write_cef_3164},
    {"leef", "LEEF 1.0, IBM QRadar, between TABs", FORMAT_TAGGED, leef_write},
    {"leef2", "LEEF 2.0, with a delimiter that relays leave alone", FORMAT_TAGGED, leef_write_2},
    {"leef-3164", "LEEF 1.0 behind an RFC 3164 header: straight to QRadar", FORMAT_COMPLETE,
     write_leef_3164},
    {"rfc5424", "RFC 5424 syslog message with structured data", FORMAT_COMPLETE, rfc5424_write},
    {"rfc3164", "RFC 3164 syslog message, readable, with name=value", FORMAT_COMPLETE,
     rfc3164_write},
    {"ecs", "JSON of the Elastic Common Schema", FORMAT_PAYLOAD, ecs_write},
    {"ocsf", "JSON of the Open Cybersecurity Schema Framework", FORMAT_PAYLOAD, ocsf_write},
    {"json", "JSON of the normalised event; with `cee` for mmjsonparse", FORMAT_PAYLOAD,
     plain_json_write},
    {"hec", "Splunk HTTP Event Collector envelope, with CIM names", FORMAT_PAYLOAD, hec_write},
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

const struct format *
format_at(size_t i)
{
	return i < FORMATS ? &formats[i] : NULL;
}

const struct format *
format_find(struct slice name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (text_slice_is(name, formats[i].name))
			return &formats[i];
	return NULL;
}

void
format_default_options(struct format_options *options)
{
	*options = (struct format_options){
	    .device_vendor = SLICE_LITERAL("AnyInt"),
	    .device_product = SLICE_LITERAL("AI Gateway"),
	    .device_version = SLICE_LITERAL("1"),
	    .app_name = SLICE_LITERAL("siembridge"),
	    .facility = 13,             /* log audit, RFC 5424 section 6.2.1 */
	    .enterprise_number = 32473, /* for documentation, RFC 5612 */
	    .bom = FORMAT_BOM_AUTO,
	    .leef_delimiter = '^', /* rsyslog makes #011 of a TAB */
	    .ocsf_minor = 9,
	    .hec = {.source = SLICE_LITERAL("siembridge"),
		    .sourcetype = SLICE_LITERAL("siembridge:{family}")},
	};
}

static void
write_line(const struct format *format, const struct event *event,
	   const struct format_options *options, struct text *text)
{
	format->write(event, options, text);
}

static void
append_header(const struct format *format, const struct event *event,
	      const struct format_options *options, struct text *text)
{
	if (options->header == FORMAT_HEADER_RFC5424) {
		rfc5424_envelope(event, options, text);
		return;
	}
	rfc3164_header(text, event, options);
	if (format->envelope == FORMAT_PAYLOAD)
		rfc3164_tag(text, options);
}

static void
write_message(const struct format *format, const struct event *event,
	      const struct format_options *options, struct text *text)
{
	if (format->envelope != FORMAT_COMPLETE)
		append_header(format, event, options, text);
	format->write(event, options, text);
}

typedef void writer(const struct format *format, const struct event *event,
		    const struct format_options *options, struct text *text);

/* Step by step until it fits. */
static void
write_shortened(writer *write, const struct format *format, const struct event *event,
		const struct format_options *options, struct text *text)
{
	size_t start = text->length, longest = options->maximum_length;

	if (text->overflowed)
		return;
	for (int step = 0; step <= SHORTEN_STEPS; step++) {
		struct event shorter;

		text_cut(text, start);
		if (step > 0)
			shorten_event(event, step, &shorter);
		write(format, step > 0 ? &shorter : event, options, text);
		if (!text->overflowed && (longest == 0 || text->length - start <= longest))
			return;
	}
	text->overflowed = true;
}

void
format_write(const struct format *format, const struct event *event,
	     const struct format_options *options, struct text *text)
{
	write_shortened(write_line, format, event, options, text);
}

void
format_write_syslog(const struct format *format, const struct event *event,
		    const struct format_options *options, struct text *text)
{
	write_shortened(write_message, format, event, options, text);
}
