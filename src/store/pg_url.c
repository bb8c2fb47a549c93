/* SPDX-License-Identifier: Apache-2.0
 *
 * The URL is libpq's to read, so that whatever works for psql works here; hosts are taken out of it, because names are
 * resolved by our own DNS (libpq would block in getaddrinfo) and handed over as addresses. What the URL does not say of
 * these is ours: no GSS encryption (its library blocks), keepalives short enough to see a cable that was cut. */
#include "store/pg_url.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"

#include <libpq-fe.h>
#include <string.h>

enum { CONNECT_S = 5, CONNECT_MAX_S = 300 };

static const struct {
	const char *keyword, *value;
} defaults[] = {
	{ "application_name", "banyan" }, { "keepalives_idle", "15" },
	{ "keepalives_interval", "5" },   { "keepalives_count", "3" },
	{ "tcp_user_timeout", "20000" },
};

static const struct {
	const char *keyword, *value;
} always[] = {
	{ "client_encoding", "UTF8" },
	{ "gssencmode", "disable" },
};

static const char session_options[] = "-c timezone=UTC -c idle_in_transaction_session_timeout=60s";

static void options_freep(PQconninfoOption **options)
{
	PQconninfoFree(*options);
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val && *o->val ? o->val : NULL;
	return NULL;
}

static size_t find(const PgTarget *target, size_t count, const char *keyword)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(target->keywords[i], keyword) == 0)
			return i;
	return count;
}

static void put(Arena *a, PgTarget *target, size_t *count, const char *keyword, const char *value)
{
	size_t i = find(target, *count, keyword);

	if (i == PG_OPTIONS - 1)
		return; /* cannot be: libpq has fewer */
	target->keywords[i] = keyword;
	target->values[i] = str_z(a, str_of(value));
	*count = MAX(*count, i + 1);
}

static bool is_ours(const char *keyword)
{
	return !strcmp(keyword, "host") || !strcmp(keyword, "hostaddr") ||
	       !strcmp(keyword, "port") || !strcmp(keyword, "connect_timeout") ||
	       !strcmp(keyword, "options");
}

static void put_options(Arena *a, const PQconninfoOption *options, bool session, PgTarget *out)
{
	const char *theirs = value_of(options, "options");
	size_t count = 0;

	for (size_t i = 0; i < COUNT(defaults); i++)
		put(a, out, &count, defaults[i].keyword, defaults[i].value);
	for (const PQconninfoOption *o = options; o->keyword; o++)
		if (o->val && *o->val && !is_ours(o->keyword))
			put(a, out, &count, str_z(a, str_of(o->keyword)), o->val);
	for (size_t i = 0; i < COUNT(always); i++)
		put(a, out, &count, always[i].keyword, always[i].value);
	if (session)
		put(a, out, &count, "options",
		    str_fmt(a, "%s%s%s", session_options, theirs ? " " : "", theirs ? theirs : "")
		            .at);
	else if (theirs)
		put(a, out, &count, "options", theirs);
	out->keywords[count] = out->values[count] = NULL;
}

/* The i-th of a list with commas; a list of one is for all. */
static Str nth(Str list, size_t i)
{
	Str item = { 0 };

	if (str_find_char(list, ',') < 0)
		return list;
	for (size_t k = 0; k <= i; k++)
		if (!str_split(&list, ',', &item))
			return (Str){ 0 };
	return item;
}

static size_t count_of(Str list)
{
	size_t count = 1;

	for (size_t i = 0; i < list.len; i++)
		count += list.at[i] == ',';
	return count;
}

/* An address that is given beside the name is used instead of asking for it: "hostaddr". */
static Err *put_hosts(Arena *a, const PQconninfoOption *options, PgTarget *out)
{
	Str names = str_dup(a, str_of(value_of(options, "host")));
	Str addresses = str_dup(a, str_of(value_of(options, "hostaddr")));
	Str ports = str_dup(a, str_of(value_of(options, "port")));
	Str list = names.len ? names : addresses;

	out->host_count = count_of(list);
	if (out->host_count > PG_HOSTS)
		return err_new(a, ERR_INVALID, "db.url", "expected at most %d hosts", PG_HOSTS);
	if (addresses.len && names.len)
		return err_new(a, ERR_INVALID, "db.url",
		               "hostaddr beside a host: leave one of them out");
	if (count_of(ports) != 1 && count_of(ports) != out->host_count)
		return err_new(a, ERR_INVALID, "db.url", "%zu ports for %zu hosts", count_of(ports),
		               out->host_count);
	for (size_t i = 0; i < out->host_count; i++) {
		uint64_t port;

		out->hosts[i] = (PgHost){ nth(list, i), nth(ports, i) };
		if (out->hosts[i].port.len &&
		    (!str_to_u64(out->hosts[i].port, &port) || port < 1 || port > 65535))
			return err_new(a, ERR_INVALID,
			               "db.url", /* not quoted: a password with '@' ends there */
			               "a port is a number from 1 to 65535");
	}
	return NULL;
}

static Str shown(Arena *a, const PgTarget *target, const char *name)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < target->host_count; i++) {
		const PgHost *host = &target->hosts[i];

		buf_put(&b, i ? S(",") : S(""));
		buf_put(&b, host->name.len ? host->name : S("socket"));
		if (host->port.len)
			buf_fmt(&b, ":%.*s", STR_ARG(host->port));
	}
	if (name)
		buf_fmt(&b, "/%s", name);
	return str_dup(a, buf_str(&b));
}

static Err *put_timeout(Arena *a, const PQconninfoOption *options, PgTarget *out)
{
	Str text = str_of(value_of(options, "connect_timeout"));
	uint64_t seconds = CONNECT_S;

	if (text.len && (!str_to_u64(text, &seconds) || seconds < 1 || seconds > CONNECT_MAX_S))
		return err_new(a, ERR_INVALID, "db.url",
		               "connect_timeout: expected 1 to %d seconds", CONNECT_MAX_S);
	out->connect_us = (int64_t)seconds * US_PER_S;
	return NULL;
}

/* What libpq says of a URL may quote a password, or all of it: what it quotes is left out, but for a parameter's name. */
static Err *refused(Arena *a, const char *said)
{
	Str text = str_of(said);
	ptrdiff_t quote = str_find_char(text, '"');

	while (text.len && text.at[text.len - 1] == '\n')
		text.len--;
	if (quote >= 0 && !str_starts(text, S("invalid URI query parameter: ")))
		text = str_trim(str_sub(text, 0, (size_t)quote));
	return err_new(a, ERR_INVALID, "db.url",
	               "expected postgresql://user:password@host:port/name: %.*s",
	               STR_ARG(text.len ? text : S("it could not be read")));
}

Err *pg_target_read(Arena *a, Str url, bool session, PgTarget *out)
{
	char *said = NULL;
	AUTO(options_freep) PQconninfoOption *options = NULL;
	PgTarget target = { 0 };

	if (!str_starts(url, S("postgresql://")) && !str_starts(url, S("postgres://")))
		return refused(a, "");
	options = PQconninfoParse(str_z(a, url), &said);
	if (!options) {
		Err *err = refused(a, said);

		PQfreemem(said);
		return err;
	}
	TRY(put_hosts(a, options, &target));
	TRY(put_timeout(a, options, &target));
	put_options(a, options, session, &target);
	target.shown = shown(a, &target, value_of(options, "dbname"));
	*out = target;
	return NULL;
}
