#include "formats/format.h"

#include <string.h>

#include "formats/cef.h"
#include "formats/hec.h"
#include "formats/rfc3164.h"
#include "formats/rfc5424.h"

/* What `inside` writes, behind a header that has grown the text from `start`. */
static void
write_behind(size_t start, const struct format *inside, const struct event *event,
	     const struct format_options *options, struct text *text)
{
	struct format_options rest = *options;

	if (options->maximum_length > 0) {
		size_t used = text->length - start;

		if (used >= options->maximum_length) {
			text->overflowed = true;
			return;
		}
		rest.maximum_length -= used;
	}
	inside->write(event, &rest, text);
}

static const struct format cef = {
    "cef", "CEF 0, the ArcSight Common Event Format; RFC 5424 header on syslog", FORMAT_PAYLOAD,
    cef_write};

static void
write_cef_3164(const struct event *event, const struct format_options *options, struct text *text)
{
	size_t start = text->length;

	rfc3164_header(text, rfc5424_priority(event, options), event->occurred_at,
		       options->hostname);
	write_behind(start, &cef, event, options, text);
}

static const struct format cef_3164 = {
    "cef-3164", "CEF 0 behind an RFC 3164 header: Microsoft Sentinel, ArcSight", FORMAT_COMPLETE,
    write_cef_3164};

static const struct format rfc5424 = {"rfc5424", "RFC 5424 syslog message with structured data",
				      FORMAT_COMPLETE, rfc5424_write};

static const struct format hec = {"hec", "Splunk HTTP Event Collector envelope, with CIM names",
				  FORMAT_PAYLOAD, hec_write};

static const struct format *const formats[] = {&cef, &cef_3164, &rfc5424, &hec};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

const struct format *
format_at(size_t i)
{
	return i < FORMATS ? formats[i] : NULL;
}

const struct format *
format_find(struct slice name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (text_slice_is(name, formats[i]->name))
			return formats[i];
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
	    .hec = {.source = SLICE_LITERAL("siembridge"),
		    .sourcetype = SLICE_LITERAL("siembridge:{family}")},
	};
}

void
format_write_syslog(const struct format *format, const struct event *event,
		    const struct format_options *options, struct text *text)
{
	size_t start = text->length;

	if (format->envelope == FORMAT_COMPLETE) {
		format->write(event, options, text);
		return;
	}
	rfc5424_envelope(event, options, text);
	write_behind(start, format, event, options, text);
}
