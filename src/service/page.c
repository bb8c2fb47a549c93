/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists by key. A cursor is the key of the last one that was shown, in base64url behind a byte of its form: opaque for clients,
 * so that it may change. Rows that come or go between two pages move nothing: a page begins after a key, not after a number. */
#include "base/arena.h"
#include "http/exchange.h"
#include "http/url.h"
#include "service/home_int.h"

#include <string.h>

enum { FORM = 1, LIMIT = 20, LIMIT_MOST = 100, KEY_MOST = 1000 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static Str cursor_of(Arena *a, Str key)
{
	AUTO(buf_fini) Buf b = { 0 };
	uint32_t bits = FORM;
	unsigned have = 8;

	for (size_t i = 0; i <= key.len; i++) {
		while (have >= 6) {
			have -= 6;
			buf_putc(&b, digits[bits >> have & 63]);
		}
		if (i < key.len) {
			bits = bits << 8 | (unsigned char)key.at[i];
			have += 8;
		}
	}
	while (have >= 6) {
		have -= 6;
		buf_putc(&b, digits[bits >> have & 63]);
	}
	if (have)
		buf_putc(&b, digits[bits << (6 - have) & 63]);
	return str_dup(a, buf_str(&b));
}

/* False: it is none of ours. */
static bool cursor_read(Arena *a, Str text, Str *key)
{
	char *to = arena_alloc_raw(a, text.len + 1);
	uint32_t bits = 0;
	unsigned have = 0;
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *digit = text.at[i] ? strchr(digits, text.at[i]) : NULL;

		if (!digit)
			return false;
		bits = bits << 6 | (uint32_t)(digit - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			to[len++] = (char)(bits >> have & 255);
		}
	}
	if (!len || to[0] != FORM || (bits & ((1U << have) - 1)))
		return false;
	*key = (Str){ to + 1, len - 1 };
	return true;
}

Str service_page_key(Arena *a, Uuid id)
{
	return str_dup(a, (Str){ (const char *)id.at, sizeof id.at });
}

Err *service_page(ServiceCall *c, ServicePage *page)
{
	Str query = url_raw(c->x->request.target).query, raw;
	uint64_t limit = LIMIT;

	*page = (ServicePage){ .limit = LIMIT, .first = true };
	if (url_query_get(query, S("limit"), &raw) &&
	    (!str_to_u64(raw, &limit) || !limit || limit > LIMIT_MOST))
		service_mistake(c, "?limit", "range", "limit must be between 1 and %d",
		                (int)LIMIT_MOST);
	page->limit = (size_t)limit;
	if (url_query_get(query, S("cursor"), &raw)) {
		page->first = false;
		if (raw.len > 2 * KEY_MOST || !cursor_read(c->arena, raw, &page->after))
			service_mistake(c, "?cursor", "format", "cursor is none that was given");
		if (page->after.len == sizeof page->after_id.at)
			memcpy(page->after_id.at, page->after.at, sizeof page->after_id.at);
	}
	return service_mistakes(c);
}

JsonWriter *service_page_begin(ServiceCall *c, ServicePage *page, size_t found)
{
	JsonWriter *w = service_json(c);

	page->more = found > page->limit;
	page->shown = MIN(found, page->limit);
	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	return w;
}

/* The same list, from another place on. */
static Str link_of(ServiceCall *c, Str cursor)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str rest = url_raw(c->x->request.target).query, pair;

	buf_put(&b, S("<"));
	buf_put(&b, c->path);
	buf_putc(&b, '?');
	while (rest.len && str_split(&rest, '&', &pair))
		if (pair.len && !str_starts(pair, S("cursor=")) && str_find_char(pair, '>') < 0) {
			buf_put(&b, pair);
			buf_putc(&b, '&');
		}
	buf_put(&b, S("cursor="));
	buf_put(&b, cursor);
	buf_put(&b, S(">; rel=\"next\""));
	return str_dup(c->arena, buf_str(&b));
}

void service_page_end(ServiceCall *c, ServicePage *page, Str last)
{
	JsonWriter *w = &c->reply->json;
	Str cursor;

	json_end(w);
	json_put_bool(w, "has_more", page->more);
	if (page->more) {
		cursor = cursor_of(c->arena, last);
		json_put_str(w, "next", cursor);
		service_say_header(c, "Link", link_of(c, cursor));
	}
	json_end(w);
}
