/* SPDX-License-Identifier: Apache-2.0
 *
 * A recording becomes one journey: its requests in the order in which they began, with the pauses between them as time to
 * think. Only the first page's own host is kept (a load is for one target), and of headers what an application looks at:
 * cookies come from the user's own jar, the connection's from the connection, and what a cache or a browser adds would
 * make answers of the recording's day. Authorization is left out: a scenario is no place for a secret. */
#include "load/init.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "http/message.h"
#include "http/url.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_MIN_US (300 * US_PER_MS)

typedef struct Entry {
	int64_t at_us, end_us;
	const Json *request;
	uint64_t status;
	Str method, url, kind; /* _resourceType, where there is one */
	size_t index;
} Entry;

typedef struct Har {
	Arena *arena;
	Buf *notes;
	Entry *entries;
	size_t count;
	Str origin;      /* "http://host:port" */
	bool authorized; /* some request had an Authorization */
} Har;

static Err *refuse(Arena *a, Str name, const char *why)
{
	return err_new(a, ERR_INVALID, "load.init", "%.*s: %s", STR_ARG(name), why);
}

/* The zone is the same in one recording, and only differences are used. */
static int64_t read_time(Arena *a, Str text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(str_z(a, text), "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0;

	if (!rest)
		return 0;
	if (*rest == '.')
		for (int64_t unit = 100000; *++rest >= '0' && *rest <= '9'; unit /= 10)
			fraction += (*rest - '0') * unit;
	return (int64_t)timegm(&tm) * US_PER_S + fraction;
}

static Str text_of(const Json *object, Str key)
{
	Str text = { 0 };

	json_to_str(json_get(object, key), &text);
	return text;
}

static int by_time(const void *x, const void *y)
{
	const Entry *l = x, *r = y;

	if (l->at_us != r->at_us)
		return l->at_us < r->at_us ? -1 : 1;
	return l->index < r->index ? -1 : 1;
}

static Str origin_of(Str url)
{
	ptrdiff_t scheme = str_find(url, S("://"));
	size_t end = scheme < 0 ? 0 : (size_t)scheme + 3;

	while (end < url.len && !strchr("/?#", url.at[end]))
		end++;
	return str_sub(url, 0, end);
}

static void read_entries(Har *har, const Json *list)
{
	har->entries = ARENA_ARRAY(har->arena, Entry, json_count(list) + 1);
	for (size_t i = 0; i < json_count(list); i++) {
		const Json *json = json_at(list, i);
		const Json *request = json_get(json, S("request"));
		double took_ms = 0;
		int64_t status = 0;
		Entry *e = &har->entries[har->count];

		json_to_real(json_get(json, S("time")), &took_ms);
		json_to_i64(json_get(json_get(json, S("response")), S("status")), &status);
		*e = (Entry){ .at_us = read_time(har->arena, text_of(json, S("startedDateTime"))),
			      .request = request,
			      .status = status > 0 && status <= 599 ? (uint64_t)status : 0,
			      .method = text_of(request, S("method")),
			      .url = text_of(request, S("url")),
			      .kind = text_of(json, S("_resourceType")),
			      .index = i };
		e->end_us = e->at_us +
		            (took_ms > 0 && took_ms < 86400e3 ? (int64_t)(took_ms * 1000) : 0);
		har->count += e->url.len > 0;
	}
	if (har->count)
		qsort(har->entries, har->count, sizeof *har->entries, by_time);
}

/* --- what is left out ----------------------------------------------------------------------------------------------- */

static bool is_kept(const Har *har, const Entry *e)
{
	return str_eq(origin_of(e->url), har->origin) && init_has_method(e->method);
}

static Str outside(const Har *har, const Entry *e)
{
	Str origin = origin_of(e->url);

	return str_eq(origin, har->origin) ? e->method : origin;
}

/* Each host, and each method that no step has, once with its number. */
static void note_left_out(const Har *har)
{
	for (size_t i = 0; i < har->count; i++) {
		Str what = outside(har, &har->entries[i]);
		size_t count = 0;
		bool first = true;

		if (is_kept(har, &har->entries[i]))
			continue;
		for (size_t k = 0; k < har->count; k++) {
			if (is_kept(har, &har->entries[k]) ||
			    !str_eq(outside(har, &har->entries[k]), what))
				continue;
			first = first && k >= i;
			count++;
		}
		if (first)
			buf_fmt(har->notes, "left out: %zu of %.*s\n", count, STR_ARG(what));
	}
}

static bool is_left_out(Str header)
{
	static const Str names[] = {
		S("host"),          S("connection"),
		S("keep-alive"),    S("te"),
		S("trailer"),       S("transfer-encoding"),
		S("upgrade"),       S("content-length"),
		S("cookie"),        S("accept-encoding"),
		S("if-none-match"), S("if-modified-since"),
		S("cache-control"), S("pragma"),
		S("priority"),      S("dnt"),
		S("purpose"),       S("expect"),
		S("authorization"), S("upgrade-insecure-requests"),
	};

	if (!header.len || header.at[0] == ':' || str_starts(header, S("sec-")) ||
	    str_starts(header, S("proxy-")))
		return true;
	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(header, names[i]))
			return true;
	return false;
}

static bool is_sendable(Str value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.at[i] < ' ' || value.at[i] == 0x7f)
			return false;
	return !str_starts(value, S("file:"));
}

static bool has_header(const SketchStep *step, Str name)
{
	for (size_t i = 0; i < step->headers.count; i++)
		if (str_eq_nocase(step->headers.at[i].name, name))
			return true;
	return false;
}

static void take_headers(Har *har, const Entry *e, SketchStep *step)
{
	Arena *a = har->arena;
	const Json *list = json_get(e->request, S("headers"));

	step->headers.at = ARENA_ARRAY(a, NamedText, json_count(list) + 2);
	for (size_t i = 0; i < json_count(list); i++) {
		Str name = text_of(json_at(list, i), S("name"));
		Str value = text_of(json_at(list, i), S("value")), low = str_lower(a, name);

		har->authorized = har->authorized || str_eq(low, S("authorization"));
		if (!is_left_out(low) && http_is_token(name) && is_sendable(value) &&
		    !has_header(step, name))
			step->headers.at[step->headers.count++] =
				(NamedText){ name, init_text(a, value) };
	}
}

/* --- bodies --------------------------------------------------------------------------------------------------------- */

static bool decode_field(Arena *a, Str text, Str *out)
{
	char *plain = arena_alloc(a, text.len + 1);
	uint32_t code;

	for (size_t i = 0; i < text.len; i++)
		plain[i] = text.at[i] == '+' ? ' ' : text.at[i];
	if (url_decode(a, (Str){ plain, text.len }, out))
		return false;
	for (Str rest = *out; rest.len;) {
		size_t bytes = str_utf8(rest, &code);

		if (!bytes)
			return false;
		rest = str_sub(rest, bytes, rest.len);
	}
	return true;
}

static bool add_field(Arena *a, SketchStep *step, Str name, Str value)
{
	name = init_text(a, name);
	for (size_t i = 0; i < step->form.count; i++)
		if (str_eq(step->form.at[i].name, name))
			return false; /* a map has each key once */
	step->form.at[step->form.count++] = (NamedText){ name, init_text(a, value) };
	return name.len > 0;
}

static bool split_form(Arena *a, Str text, SketchStep *step)
{
	Str rest = text, pair;

	step->form.at = ARENA_ARRAY(a, NamedText, text.len + 1);
	while (str_split(&rest, '&', &pair)) {
		Str value = pair, name, plain_name, plain_value;

		str_split(&value, '=', &name);
		if (!decode_field(a, name, &plain_name) || !decode_field(a, value, &plain_value) ||
		    !add_field(a, step, plain_name, plain_value))
			return false;
	}
	return true;
}

static void drop_header(SketchStep *step, Str name)
{
	size_t kept = 0;

	for (size_t i = 0; i < step->headers.count; i++)
		if (!str_eq_nocase(step->headers.at[i].name, name))
			step->headers.at[kept++] = step->headers.at[i];
	step->headers.count = kept;
}

static void take_params(Har *har, const Json *params, SketchStep *step)
{
	step->form.at = ARENA_ARRAY(har->arena, NamedText, json_count(params) + 1);
	for (size_t i = 0; i < json_count(params); i++)
		add_field(har->arena, step, text_of(json_at(params, i), S("name")),
		          text_of(json_at(params, i), S("value")));
}

static void take_body(Har *har, const Entry *e, SketchStep *step)
{
	const Json *data = json_get(e->request, S("postData"));
	Str text = text_of(data, S("text")), type = text_of(data, S("mimeType"));
	bool form = str_starts(str_lower(har->arena, type), S("application/x-www-form-urlencoded"));

	if (!data || str_eq_nocase(e->method, S("GET")) || str_eq_nocase(e->method, S("HEAD")))
		return;
	if (form && !text.len)
		take_params(har, json_get(data, S("params")), step);
	else if (form && !split_form(har->arena, text, step))
		step->form.count = 0;
	if (step->form.count) {
		drop_header(step, S("Content-Type"));
		return;
	}
	if (!text.len && json_count(json_get(data, S("params"))))
		buf_fmt(har->notes,
		        "left out: the body of %.*s %.*s, which the recording does not hold\n",
		        STR_ARG(step->method), STR_ARG(step->path));
	if (!text.len)
		return;
	step->body = init_text(har->arena, text);
	step->has_body = true;
	if (type.len && is_sendable(type) && !has_header(step, S("Content-Type")))
		step->headers.at[step->headers.count++] =
			(NamedText){ S("Content-Type"), init_text(har->arena, type) };
}

/* --- steps ---------------------------------------------------------------------------------------------------------- */

static Str path_of(Arena *a, Str url)
{
	Str rest = str_sub(url, origin_of(url).len, url.len);
	ptrdiff_t fragment = str_find_char(rest, '#');

	if (fragment >= 0)
		rest = str_sub(rest, 0, (size_t)fragment);
	if (!rest.len || rest.at[0] != '/')
		rest = str_fmt(a, "/%.*s", STR_ARG(rest));
	return init_text(a, rest);
}

/* What a page is made of is called by its file's name. */
static Str resource_name(const Entry *e)
{
	static const Str kinds[] = { S("stylesheet"), S("script"), S("image"), S("font"),
		                     S("media") };
	static const Str ends[] = { S(".css"),  S(".js"),    S(".mjs"),  S(".png"), S(".jpg"),
		                    S(".jpeg"), S(".gif"),   S(".webp"), S(".svg"), S(".ico"),
		                    S(".woff"), S(".woff2"), S(".ttf"),  S(".map"), S(".mp4") };
	size_t end = 0;
	ptrdiff_t slash;
	bool is = false;
	Str path;

	while (end < e->url.len && e->url.at[end] != '?' && e->url.at[end] != '#')
		end++;
	path = str_sub(e->url, 0, end);
	slash = str_rfind_char(path, '/');
	for (size_t i = 0; i < COUNT(kinds); i++)
		is = is || str_eq(e->kind, kinds[i]);
	for (size_t i = 0; i < COUNT(ends); i++)
		is = is || str_ends(path, ends[i]);
	path = str_sub(path, (size_t)(slash + 1), path.len);
	return is && path.len <= 80 ? path : S("");
}

/* The pause before the next request that is kept; those at once, while others ran, have none. */
static int64_t pause_after(const Har *har, size_t at)
{
	int64_t end_us = 0;

	for (size_t i = 0; i <= at; i++)
		end_us = MAX(end_us, har->entries[i].end_us);
	for (size_t i = at + 1; i < har->count; i++) {
		int64_t gap_us = har->entries[i].at_us - end_us;

		if (is_kept(har, &har->entries[i]))
			return gap_us > PAUSE_MIN_US ? gap_us / (100 * US_PER_MS) * 100 * US_PER_MS
			                             : 0;
		end_us = MAX(end_us, har->entries[i].end_us);
	}
	return 0;
}

static void take_entry(Har *har, size_t at, SketchStep *step)
{
	const Entry *e = &har->entries[at];

	step->method = e->method;
	step->path = path_of(har->arena, e->url);
	step->name = resource_name(e);
	take_headers(har, e, step);
	take_body(har, e, step);
	if (e->status >= 400)
		step->check = str_fmt(har->arena, "%u", (unsigned)e->status);
	step->think_us = MIN(pause_after(har, at), 3600 * US_PER_S);
}

static bool all_have(const Sketch *sketch, const NamedText *header)
{
	for (size_t i = 0; i < sketch->steps.count; i++) {
		const SketchStep *step = &sketch->steps.at[i];
		bool found = false;

		for (size_t k = 0; k < step->headers.count; k++)
			found = found || (str_eq_nocase(step->headers.at[k].name, header->name) &&
			                  str_eq(step->headers.at[k].text, header->text));
		if (!found)
			return false;
	}
	return true;
}

static void share_headers(Arena *a, Sketch *sketch)
{
	const SketchStep first = sketch->steps.at[0];

	sketch->headers.at = ARENA_ARRAY(a, NamedText, first.headers.count + 1);
	for (size_t i = 0; i < first.headers.count; i++)
		if (all_have(sketch, &first.headers.at[i]))
			sketch->headers.at[sketch->headers.count++] = first.headers.at[i];
	for (size_t i = 0; i < sketch->steps.count; i++)
		for (size_t k = 0; k < sketch->headers.count; k++)
			drop_header(&sketch->steps.at[i], sketch->headers.at[k].name);
}

Err *init_har(Arena *a, Str name, Str text, Sketch *out, Buf *notes)
{
	Har har = { .arena = a, .notes = notes };
	const Json *json, *log;

	TRY(json_read(a, text, 0, &json));
	log = json_get(json, S("log"));
	if (json_kind(json_get(log, S("entries"))) != JSON_KIND_ARRAY)
		return refuse(a, name, "expected a HAR: an object with log.entries");
	read_entries(&har, json_get(log, S("entries")));
	for (size_t i = 0; i < har.count && !har.origin.len; i++)
		if (str_starts(har.entries[i].url, S("http://")) ||
		    str_starts(har.entries[i].url, S("https://")))
			har.origin = origin_of(har.entries[i].url);
	out->target = har.origin;
	out->journey = S("recorded");
	out->steps.at = ARENA_ARRAY(a, SketchStep, har.count + 1);
	for (size_t i = 0; i < har.count && har.origin.len; i++)
		if (is_kept(&har, &har.entries[i]))
			take_entry(&har, i, &out->steps.at[out->steps.count++]);
	if (!out->steps.count)
		return refuse(a, name, "there is no request in it that a scenario can have");
	share_headers(a, out);
	note_left_out(&har);
	if (har.authorized)
		buf_put(notes,
		        S("left out: Authorization, which is a secret: give it as ${NAME} under headers\n"));
	buf_put(notes,
	        S("what the server made up (tokens, ids) is there as recorded: take it out of answers with `extract`\n"));
	return NULL;
}
