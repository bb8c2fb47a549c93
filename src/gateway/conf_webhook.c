/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of `webhooks:`, and what their values are. A URL is a secret as a whole: chat services put the key into the path,
 * others a password before the host. So no sentence here repeats any of it, and what is called by a webhook's name has only its
 * host and port. Whether the name of the host exists is found out when it is asked. */
#include "gateway/conf_shift.h"

#include "base/arena.h"
#include "gateway/conf_int.h"
#include "http/url.h"

#include <openssl/evp.h>

#include <string.h>

enum { KEY_MIN = 24, URL_MAX = 2000 };

static const ConfWord format_words[] = {
	{ "standard", WEBHOOK_STANDARD,
	  "JSON with type, timestamp and data, signed as Standard Webhooks says" },
	{ "slack", WEBHOOK_SLACK, "JSON with a text of one line, as chat services take it" },
	{ 0 },
};

/* Verbs as the journal has them (shift/verbs.c, keeper.c); values are these rows' own. */
static const ConfWord event_words[] = {
	{ "shadow", 1, "comparison began" },
	{ "canary", 2, "the first users were sent to the new side, or that was asked for" },
	{ "step", 3, "the judge passed a step" },
	{ "to", 4, "a person set the share" },
	{ "back", 5, "all users are on the old side, by the judge or a person" },
	{ "drill", 6, "the same on purpose" },
	{ "retire", 7, "the old side is asked nothing any more" },
	{ "approve", 8, "a second person agreed" },
	{ "pause", 9, "steps wait" },
	{ "resume", 10, "steps go on" },
	{ "measure", 11, "the old side's times were frozen" },
	{ "accept", 12, "a difference between the sides is meant" },
	{ "unaccept", 15, "it is not, after all" },
	{ "drain", 13, "a server of an upstream takes no new requests" },
	{ "undrain", 14, "and takes them again" },
	{ "restore", 16, "a store that had lost where a move stands was told again" },
	{ 0 },
};

/* --- a URL ---------------------------------------------------------------------------------------------------------------- */

static bool is_printable(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' || strchr("\"<>\\^`{|}#", text.at[i]))
			return false;
	return true;
}

/* What stands before the path: [login@]host[:port]. */
static const char *read_place(Arena *a, Str place, WebhookUrl *out)
{
	ptrdiff_t at = str_rfind_char(place, '@');
	Str decoded;

	if (at >= 0) {
		out->login = str_sub(place, 0, (size_t)at);
		place = str_sub(place, (size_t)at + 1, place.len);
		if (url_decode(a, out->login, &decoded))
			return "the user or password has a bad escape";
	}
	out->authority = place;
	if (!place.len || url_authority(a, place, &out->host, &out->port) || !out->host.len)
		return "expected https://HOST/PATH";
	if (!out->port)
		out->port = out->tls ? 443 : 80;
	if (out->host.at[0] == '[')
		out->host = str_sub(out->host, 1, out->host.len - 1);
	return NULL;
}

const char *webhook_url_read(Arena *a, Str url, WebhookUrl *out)
{
	WebhookUrl read = { .tls = str_starts(url, S("https://")) };
	const char *mistake;
	size_t end = 0;
	Str rest;

	if (!read.tls && !str_starts(url, S("http://")))
		return "expected https://HOST/PATH";
	if (!is_printable(url) || url.len > URL_MAX)
		return "a URL has up to 2000 letters of ASCII, others are escaped, and no # here";
	rest = str_sub(url, read.tls ? 8 : 7, url.len);
	while (end < rest.len && !strchr("/?", rest.at[end]))
		end++;
	mistake = read_place(a, str_sub(rest, 0, end), &read);
	if (mistake)
		return mistake;
	read.target = str_sub(rest, end, rest.len);
	if (!read.target.len || read.target.at[0] == '?')
		read.target = str_fmt(a, "/%.*s", STR_ARG(read.target));
	*out = read;
	return NULL;
}

/* --- a secret ------------------------------------------------------------------------------------------------------------- */

static bool is_base64(Str text, size_t *padding)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	*padding = str_ends(text, S("==")) ? 2 : str_ends(text, S("=")) ? 1 : 0;
	for (size_t i = 0; i < text.len - *padding; i++)
		if (!text.at[i] || !strchr(letters, text.at[i]))
			return false;
	return text.len && text.len % 4 == 0;
}

bool webhook_secret_read(Str text, uint8_t key[WEBHOOK_KEY_MAX], size_t *len)
{
	Str prefix = S("whsec_");
	uint8_t bytes[WEBHOOK_KEY_MAX + 3];
	size_t padding, got;

	if (!str_starts(text, prefix))
		return false;
	text = str_sub(text, prefix.len, text.len);
	if (!is_base64(text, &padding) || text.len / 4 * 3 > sizeof bytes)
		return false;
	got = text.len / 4 * 3 - padding;
	if (got < KEY_MIN || got > WEBHOOK_KEY_MAX ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)text.at, (int)text.len) < 0)
		return false;
	memcpy(key, bytes, got);
	*len = got;
	return true;
}

/* --- the rows ------------------------------------------------------------------------------------------------------------- */

static const ConfKey webhook_keys[] = {
	{ "url", CONF_STR, AT(WebhookConf, url), .required = true, .secret = true, .value = "URL",
	  .help = "where to: https://HOST/PATH",
	  .more = "A user and password before the host are sent as basic authentication. Redirects are not followed." },
	{ "name", CONF_STR, AT(WebhookConf, name), .unique = true, .value = "NAME", .max = "64",
	  .help = "what metrics, logs and the book call it; without it the URL's host and port",
	  .more = "A webhook whose name stays goes on where it was, whatever else changes; one with a new name hears of what comes from then on." },
	{ "secret", CONF_STR, AT(WebhookConf, secret), .secret = true, .value = "whsec_BASE64",
	  .help = "what bodies are signed with, 24 to 64 bytes; `slack` needs none" },
	{ "format", CONF_ENUM, AT(WebhookConf, format), .names = format_words, .def = "standard",
	  .help = "the body's form" },
	{ "events", CONF_ENUM, AT_LIST(WebhookConf, events), .names = event_words,
	  .def = "shadow, canary, step, to, back, drill, retire, approve",
	  .help = "what it is told of" },
	{ "subjects", CONF_STR, AT_LIST(WebhookConf, subjects), .value = "NAME",
	  .help = "routes, groups, and upstream:NAME; none: all" },
	{ "ca", CONF_PATH, AT(WebhookConf, ca), .value = "FILE",
	  .help = "who vouches for the receiver, PEM; without it whom the system trusts" },
};

static void check_webhook(Conf *conf, void *object)
{
	WebhookConf *w = object;
	AUTO(arena_freep) Arena *a = arena_new(0);
	uint8_t key[WEBHOOK_KEY_MAX];
	WebhookUrl url = { 0 };
	const char *mistake = w->url.len ? webhook_url_read(a, w->url, &url) : NULL;
	size_t len;

	if (mistake)
		conf_mistake(conf, &w->url, "url: %s", mistake);
	if (!w->name.len)
		w->name = url.authority;
	if (w->secret.len && !webhook_secret_read(w->secret, key, &len))
		conf_mistake(conf, &w->secret,
		             "secret: expected whsec_ and the Base64 of 24 to 64 bytes");
	if (!w->secret.len && w->format == WEBHOOK_STANDARD)
		conf_mistake(conf, &w->secret,
		             "secret: `standard` is signed: whsec_ and the Base64 of 24 to 64 "
		             "bytes (openssl rand -base64 32)");
	if (w->ca.len && !url.tls && !mistake)
		conf_mistake(conf, &w->ca, "ca: is for https://");
}

const ConfTable webhook_conf_table = { "webhook", CONF_ROWS(WebhookConf, webhook_keys),
	                               .check = check_webhook,
	                               .help = "who is told of what is done to moves" };

void webhook_conf_check_all(Conf *conf, void *object)
{
	ShiftAllConf *all = object;

	if (all->webhooks.count > WEBHOOKS_MAX)
		conf_mistake(conf, &all->webhooks, "webhooks: %d at most", (int)WEBHOOKS_MAX);
}

/* --- what it is told of --------------------------------------------------------------------------------------------------- */

static bool is_subject(const GatewayConf *g, Str name)
{
	Str prefix = S("upstream:"), upstream = str_sub(name, prefix.len, name.len);

	for (size_t i = 0; str_starts(name, prefix) && i < g->upstreams.count; i++)
		if (str_eq(g->upstreams.at[i].name, upstream))
			return true;
	for (size_t i = 0; i < g->routes.count; i++) {
		const RouteConf *r = &g->routes.at[i];

		if (r->has_new && str_eq(r->shift.group.len ? r->shift.group : r->name, name))
			return true;
	}
	return false;
}

void webhook_conf_check_subjects(Conf *conf, const GatewayConf *g)
{
	for (size_t i = 0; i < g->shift.webhooks.count; i++) {
		const WebhookConf *w = &g->shift.webhooks.at[i];

		for (size_t k = 0; k < w->subjects.count; k++)
			if (!is_subject(g, w->subjects.at[k]))
				conf_mistake(conf, &w->subjects.at[k],
				             "subjects: nothing that is moved is called \"%.*s\": "
				             "a route with old and new, a group, or upstream:NAME",
				             STR_ARG(w->subjects.at[k]));
	}
}

static bool wants_event(const WebhookConf *conf, Str verb)
{
	for (size_t i = 0; i < conf->events.count; i++)
		for (const ConfWord *word = event_words; word->name; word++)
			if (word->value == conf->events.at[i] && str_eq(str_of(word->name), verb))
				return true;
	return false;
}

bool webhook_conf_wants(const WebhookConf *conf, Str verb, Str subject)
{
	bool named = !conf->subjects.count;

	for (size_t i = 0; i < conf->subjects.count; i++)
		named = named || str_eq(conf->subjects.at[i], subject);
	return named && wants_event(conf, verb);
}
