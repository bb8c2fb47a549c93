/* SPDX-License-Identifier: Apache-2.0
 *
 * What an endpoint must be, and which events it wants. Pure. */
#include "base/arena.h"
#include "base/json.h"
#include "http/ask.h"
#include "service/hook_int.h"

static Err *bad_url(Arena *a, const char *why)
{
	return err_new(a, ERR_INVALID, "webhook.url", "the URL %s", why);
}

static Err *bad_types(Arena *a, const char *why)
{
	return err_new(a, ERR_INVALID, "webhook.types", "%s", why);
}

/* Which addresses its name has is looked at each time that it is told something: names change. */
static Err *check_url(Arena *a, Str text, bool development)
{
	AskUrl url;
	const char *wrong = ask_url_read(a, text, &url);

	if (wrong)
		return bad_url(a, wrong);
	if (text.len > HOOK_URL_MOST)
		return bad_url(a, "is longer than 2000 bytes");
	return url.tls || development ? NULL : bad_url(a, "must begin with https://");
}

static bool is_type(Str text)
{
	if (str_eq(text, S("*")))
		return true;
	if (str_ends(text, S(".*")))
		text = str_sub(text, 0, text.len - 2);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_')
			return false;
	}
	return text.len && text.len <= 100;
}

static Err *check_types(Arena *a, Str json)
{
	const Json *list;
	Str type;

	TRY(json_read(a, json, 0, &list));
	if (json_kind(list) != JSON_KIND_ARRAY || !json_count(list))
		return bad_types(a, "there must be one type of event at least, or *");
	if (json_count(list) > HOOK_TYPES_MOST)
		return bad_types(a, "there are more than 100 types of events");
	for (size_t i = 0; i < json_count(list); i++)
		if (!json_to_str(json_at(list, i), &type) || !is_type(type))
			return bad_types(a, "a type of event is like invoice.paid, invoice.* or *");
	return NULL;
}

Err *hook_check(Arena *a, const Hook *hook, bool development)
{
	TRY(check_url(a, hook->url, development));
	return check_types(a, hook->types);
}

static bool type_fits(Str want, Str type)
{
	if (str_eq(want, S("*")))
		return true;
	if (str_ends(want, S(".*")))
		return str_starts(type, str_sub(want, 0, want.len - 1));
	return str_eq(want, type);
}

bool hook_wants(Arena *a, const Hook *hook, Str type)
{
	const Json *list;
	Str want;

	if (json_read(a, hook->types, 0, &list))
		return false;
	for (size_t i = 0; i < json_count(list); i++)
		if (json_to_str(json_at(list, i), &want) && type_fits(want, type))
			return true;
	return false;
}
