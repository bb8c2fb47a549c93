/* SPDX-License-Identifier: Apache-2.0
 *
 * Events on the wire. What is written is always readable by this reader; what others write is checked as a stranger's. Data is
 * kept as JSON text: nobody between the writer and the consumer looks into it. */
#include "store/event.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"

#include <string.h>

static bool is_name(Str text, const char *more)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr(more, c)))
			return false;
	}
	return text.len > 0 && text.len <= EVENT_NAME_MOST;
}

/* UTF-8 without control characters. */
static bool is_text(Str text)
{
	Str rest = text;

	while (rest.len) {
		uint32_t code;
		size_t n = str_utf8(rest, &code);

		if (!n || code < 0x20 || (code >= 0x7f && code < 0xa0))
			return false;
		rest = str_sub(rest, n, rest.len);
	}
	return text.len > 0 && text.len <= EVENT_NAME_MOST;
}

/* 00-32 hex-16 hex-2 hex (W3C Trace Context, 3.2); what a later version adds is taken too. */
static bool is_traceparent(Str text)
{
	for (size_t i = 0; i < text.len && i < 55; i++) {
		bool dash = i == 2 || i == 35 || i == 52;
		char c = text.at[i];

		if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return text.len == 55 || (text.len > 55 && text.len < 200 && text.at[55] == '-' &&
	                          is_name(str_sub(text, 55, text.len), "-"));
}

static Err *wrong(Arena *a, const char *attribute, const char *what)
{
	return err_new(a, ERR_INVALID, "event.invalid", "the event's %s %s", attribute, what);
}

static Err *check_attributes(Arena *a, const Event *event)
{
	if (!is_name(event->type, "._-"))
		return wrong(a, "type", "is not of letters, digits and . _ - (200 at most)");
	if (!is_name(event->aggregate_type, "._-"))
		return wrong(a, "aggregate type", "is not of letters, digits and . _ -");
	if (!is_text(event->aggregate_id))
		return wrong(a, "aggregate id", "is empty, too long or not plain text");
	if (event->source.len && !is_text(event->source))
		return wrong(a, "source", "is too long or not plain text");
	if (event->traceparent.len && !is_traceparent(event->traceparent))
		return wrong(a, "traceparent", "is not one of W3C Trace Context");
	return NULL;
}

Err *event_check_data(Arena *a, Str data)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	const Json *value;
	Err *err;

	if (data.len > EVENT_DATA_MOST)
		return err_new(a, ERR_TOO_LARGE, "event.too_large",
		               "the data have %zu bytes, %d are allowed", data.len,
		               EVENT_DATA_MOST);
	if (!data.len)
		return NULL;
	err = json_read(scratch, data, EVENT_DATA_MOST, &value);
	if (err)
		return err_because(a, err_copy(a, err), ERR_INVALID, "event.invalid",
		                   "the data are not JSON");
	return NULL;
}

Err *event_check(Arena *a, const Event *event)
{
	TRY(check_attributes(a, event));
	if (event->written && event->data.len <= EVENT_DATA_MOST)
		return NULL;
	return event_check_data(a, event->data);
}

Str event_subject(Arena *a, const Event *event)
{
	return str_fmt(a, "%.*s/%.*s", STR_ARG(event->aggregate_type),
	               STR_ARG(event->aggregate_id));
}

void event_put(Buf *b, const Event *event)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(b);

	json_begin_object(&w);
	json_put_str(&w, "specversion", S("1.0"));
	json_key(&w, S("id"));
	uuid_put(&text, event->id);
	json_add_str(&w, buf_str(&text));
	json_put_str(&w, "source", event->source.len ? event->source : S("/"));
	json_put_str(&w, "type", event->type);
	json_key(&w, S("subject"));
	buf_clear(&text);
	buf_put(&text, event->aggregate_type);
	buf_putc(&text, '/');
	buf_put(&text, event->aggregate_id);
	json_add_str(&w, buf_str(&text));
	json_key(&w, S("time"));
	json_add_time(&w, event->time_us);
	json_put_str(&w, "datacontenttype", S("application/json"));
	if (event->traceparent.len)
		json_put_str(&w, "traceparent", event->traceparent);
	json_key(&w, S("data"));
	json_add_raw(&w, event->data.len ? event->data : S("null"));
	json_end(&w);
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

static Err *read_subject(Arena *a, Str subject, Event *out)
{
	ptrdiff_t slash = str_find_char(subject, '/');

	if (slash < 0)
		return wrong(a, "subject", "is not TYPE/ID");
	out->aggregate_type = str_sub(subject, 0, (size_t)slash);
	out->aggregate_id = str_sub(subject, (size_t)slash + 1, subject.len);
	return NULL;
}

static Err *read_data(Arena *a, const Json *data, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	if (!data)
		return NULL;
	json_put(&w, data);
	TRY(json_done(&w, &text));
	*out = str_dup(a, text);
	return NULL;
}

Err *event_read(Arena *a, Str text, Event *out)
{
	Event event = { 0 };
	Str version, id, subject, time, type;
	const Json *top;

	TRY(json_read(a, text, EVENT_DATA_MOST + 8192, &top));
	if (json_kind(top) != JSON_KIND_OBJECT)
		return wrong(a, "text", "is not a JSON object");
	TRY(json_need_str(a, top, "specversion", &version));
	TRY(json_need_str(a, top, "id", &id));
	TRY(json_need_str(a, top, "source", &event.source));
	TRY(json_need_str(a, top, "type", &event.type));
	TRY(json_need_str(a, top, "subject", &subject));
	if (!str_starts(version, S("1.")))
		return wrong(a, "specversion", "is not 1.0");
	if (!uuid_read(id, &event.id) || uuid_is_nil(event.id))
		return wrong(a, "id", "is not a UUID");
	if (!event.source.len)
		return wrong(a, "source", "is empty");
	if (json_get(top, S("data_base64")))
		return wrong(a, "data", "are base64: only JSON is understood");
	if (json_to_str(json_get(top, S("datacontenttype")), &type) &&
	    !str_starts(type, S("application/json")))
		return wrong(a, "datacontenttype", "is not application/json");
	if (json_get(top, S("time")) && (!json_to_str(json_get(top, S("time")), &time) ||
	                                 !time_read_rfc3339(time, &event.time_us)))
		return wrong(a, "time", "is not a time of RFC 3339");
	if (json_get(top, S("traceparent")) &&
	    !json_to_str(json_get(top, S("traceparent")), &event.traceparent))
		return wrong(a, "traceparent", "is not a text");
	TRY(read_subject(a, subject, &event));
	TRY(read_data(a, json_get(top, S("data")), &event.data));
	TRY(check_attributes(a, &event));
	*out = event;
	return NULL;
}

bool event_type_in(Str type, const char *const *patterns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Str pattern = str_of(patterns[i]);

		if (str_ends(pattern, S("*")) &&
		    str_starts(type, str_sub(pattern, 0, pattern.len - 1)))
			return true;
		if (str_eq(type, pattern))
			return true;
	}
	return false;
}
