/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of words in order: the first that is in the text counts. Every browser names its ancestors (Edge says Chrome and Safari), so the
 * youngest stand first. A report needs to tell Firefox from Chrome and a telephone from a desk; versions are what tells one person from
 * another, so they are not kept. */
#include "analytics/agent.h"

#include "base/arena.h"

typedef struct Word {
	Str in, name;
} Word;

static const Word browsers[] = {
	{ S("Edg"), S("Edge") },
	{ S("OPR/"), S("Opera") },
	{ S("SamsungBrowser"), S("Samsung Internet") },
	{ S("Firefox"), S("Firefox") },
	{ S("FxiOS"), S("Firefox") },
	{ S("CriOS"), S("Chrome") },
	{ S("Chromium"), S("Chrome") },
	{ S("Chrome"), S("Chrome") },
	{ S("Safari"), S("Safari") },
	{ S("Trident"), S("Internet Explorer") },
	{ S("MSIE"), S("Internet Explorer") },
};
static const Word systems[] = {
	{ S("Windows"), S("Windows") }, { S("Android"), S("Android") },
	{ S("iPhone"), S("iOS") },      { S("iPad"), S("iOS") },
	{ S("Mac OS X"), S("macOS") },  { S("CrOS"), S("Chrome OS") },
	{ S("Linux"), S("Linux") },
};
static const Word devices[] = {
	{ S("iPad"), S("Tablet") },       { S("Tablet"), S("Tablet") },
	{ S("Mobi"), S("Mobile") },       { S("iPhone"), S("Mobile") },
	{ S("Android"), S("Tablet") },    { S("Windows"), S("Desktop") },
	{ S("Macintosh"), S("Desktop") }, { S("CrOS"), S("Desktop") },
	{ S("Linux"), S("Desktop") },
};
static const Word bots[] = {
	{ S("bot"), S("") },     { S("Bot"), S("") },     { S("crawl"), S("") },
	{ S("spider"), S("") },  { S("Spider"), S("") },  { S("Headless"), S("") },
	{ S("curl/"), S("") },   { S("Wget/"), S("") },   { S("python-requests"), S("") },
	{ S("preview"), S("") }, { S("monitor"), S("") }, { S("Lighthouse"), S("") },
};

static const Word *first_in(const Word *words, size_t count, Str text)
{
	for (size_t i = 0; i < count; i++)
		if (str_find(text, words[i].in) >= 0)
			return &words[i];
	return NULL;
}

static Str name_of(const Word *word)
{
	return word ? word->name : S("");
}

Agent agent_read(Str text)
{
	return (Agent){ .browser = name_of(first_in(browsers, COUNT(browsers), text)),
		        .os = name_of(first_in(systems, COUNT(systems), text)),
		        .device = name_of(first_in(devices, COUNT(devices), text)),
		        .bot = first_in(bots, COUNT(bots), text) != NULL };
}

bool page_url_read(Str url, PageUrl *out)
{
	ptrdiff_t at = str_find(url, S("://")), end;
	Str rest;

	if (at < 1)
		return false;
	rest = str_sub(url, (size_t)at + 3, url.len);
	end = str_find_char(rest, '#');
	rest = end < 0 ? rest : str_sub(rest, 0, (size_t)end);
	end = str_find_char(rest, '?');
	out->query = end < 0 ? S("") : str_sub(rest, (size_t)end + 1, rest.len);
	rest = end < 0 ? rest : str_sub(rest, 0, (size_t)end);
	end = str_find_char(rest, '/');
	out->host = end < 0 ? rest : str_sub(rest, 0, (size_t)end);
	out->path = end < 0 ? S("/") : str_sub(rest, (size_t)end, rest.len);
	end = str_rfind_char(out->host, '@');
	out->host = str_sub(out->host, (size_t)(end + 1), out->host.len);
	end = str_rfind_char(out->host, ':');
	out->host = end < 0 ? out->host : str_sub(out->host, 0, (size_t)end);
	return out->host.len > 0;
}

Str page_site(Arena *a, Str host)
{
	Str lower = str_lower(a, host);

	return str_starts(lower, S("www.")) ? str_sub(lower, 4, lower.len) : lower;
}
