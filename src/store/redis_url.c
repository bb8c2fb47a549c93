/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs of Redis: scheme, userinfo, hosts, path. Read strictly, since a part that is silently ignored (a database, a query
 * that another client knows) is a wrong database in production. Userinfo may be percent-encoded (RFC 3986 3.2.1). */
#include "store/redis_url.h"

#include "base/arena.h"
#include "base/buf.h"

enum {
	PORT = 6379,
	SENTINEL_PORT = 26379,
	HOSTS_MAX = 64,
	HOST_MAX_BYTES = 253,
	UNIX_MAX_BYTES = 107
};

static const struct {
	Str scheme;
	RedisKind kind;
	bool tls;
} schemes[] = {
	{ S("redis://"), REDIS_SINGLE, false },
	{ S("rediss://"), REDIS_SINGLE, true },
	{ S("redis+sentinel://"), REDIS_SENTINEL, false },
	{ S("rediss+sentinel://"), REDIS_SENTINEL, true },
	{ S("redis+cluster://"), REDIS_CLUSTER, false },
	{ S("rediss+cluster://"), REDIS_CLUSTER, true },
};

static Err *refuse(Arena *a, const char *why)
{
	return err_new(a, ERR_INVALID, "redis.url", "%s", why);
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static Err *decode(Arena *a, Str text, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < text.len; i++) {
		int high, low;

		if (text.at[i] != '%') {
			buf_putc(&b, text.at[i]);
			continue;
		}
		high = i + 2 < text.len ? hex_of(text.at[i + 1]) : -1;
		low = i + 2 < text.len ? hex_of(text.at[i + 2]) : -1;
		if (high < 0 || low < 0)
			return refuse(a, "a % in user or password is written %25");
		buf_putc(&b, (char)(high << 4 | low));
		i += 2;
	}
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

static Err *read_user(Arena *a, Str text, RedisUrl *out)
{
	Str user = { 0 };

	if (!str_split(&text, ':', &user))
		return NULL;
	TRY(decode(a, user, &out->user));
	TRY(decode(a, text, &out->password));
	if (out->user.len && !out->password.len)
		return refuse(a, "a user needs a password: user:password@host, or :password@host");
	return NULL;
}

static bool is_host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == ':';
}

static Err *check_host(Arena *a, Str host, bool bracketed)
{
	if (!host.len || host.len > HOST_MAX_BYTES)
		return refuse(a, "expected a host after the scheme: redis://host:6379/0");
	for (size_t i = 0; i < host.len; i++)
		if (!is_host_byte(host.at[i]) || (host.at[i] == ':' && !bracketed))
			return refuse(a, "a host is a name or an address, IPv6 in brackets");
	return NULL;
}

static Err *read_host(Arena *a, Str text, uint16_t port, RedisHost *out)
{
	ptrdiff_t close = text.len && text.at[0] == '[' ? str_find_char(text, ']') : -1;
	Str rest = close < 0 ? text : str_sub(text, (size_t)close + 1, text.len);
	ptrdiff_t colon = str_rfind_char(rest, ':');
	uint64_t n = port;
	Str host;

	if (colon >= 0 &&
	    (!str_to_u64(str_sub(rest, (size_t)colon + 1, rest.len), &n) || !n || n > 65535))
		return refuse(a, "a port is a number from 1 to 65535");
	if (close >= 0 && rest.len && colon != 0)
		return refuse(a, "after a bracketed address comes its port or nothing");
	host = close >= 0 ? str_sub(text, 1, (size_t)close)
	                  : str_sub(rest, 0, colon < 0 ? rest.len : (size_t)colon);
	TRY(check_host(a, host, close >= 0));
	*out = (RedisHost){ str_dup(a, host), (uint16_t)n };
	return NULL;
}

static Err *read_hosts(Arena *a, Str text, RedisUrl *out)
{
	uint16_t port = out->kind == REDIS_SENTINEL ? SENTINEL_PORT : PORT;
	Str host;

	out->hosts = ARENA_ARRAY(a, RedisHost, HOSTS_MAX);
	if (!text.len)
		return refuse(a, "expected a host after the scheme: redis://host:6379/0");
	while (str_split(&text, ',', &host)) {
		if (out->count == HOSTS_MAX)
			return refuse(a, "at most 64 hosts");
		TRY(read_host(a, host, port, &out->hosts[out->count++]));
	}
	if (out->kind == REDIS_SINGLE && out->count > 1)
		return refuse(a, "several hosts are a redis+sentinel:// or a redis+cluster://");
	return NULL;
}

static Err *read_db(Arena *a, Str text, uint32_t *out)
{
	uint64_t n;

	if (!str_to_u64(text, &n) || n > 65535)
		return refuse(a, "a database is a number: redis://host:6379/0");
	*out = (uint32_t)n;
	return NULL;
}

/* What follows the first slash. */
static Err *read_path(Arena *a, Str path, RedisUrl *out)
{
	if (out->kind == REDIS_CLUSTER)
		return path.len
		               ? refuse(a,
		                        "a cluster has one database only: nothing may follow the hosts")
		               : NULL;
	if (out->kind == REDIS_SENTINEL) {
		ptrdiff_t slash = str_find_char(path, '/');

		out->master = str_dup(a, str_sub(path, 0, slash < 0 ? path.len : (size_t)slash));
		if (!out->master.len)
			return refuse(
				a,
				"a Sentinel needs the master's name: redis+sentinel://host:26379/mymaster");
		path = slash < 0 ? (Str){ 0 } : str_sub(path, (size_t)slash + 1, path.len);
	}
	return path.len ? read_db(a, path, &out->db) : NULL;
}

static Err *read_unix(Arena *a, Str rest, RedisUrl *out)
{
	ptrdiff_t query = str_find(rest, S("?db="));
	Str path = str_sub(rest, 0, query < 0 ? rest.len : (size_t)query);

	if (str_starts(path, S("//")))
		path = str_sub(path, 2, path.len);
	if (!str_starts(path, S("/")) || path.len > UNIX_MAX_BYTES ||
	    str_find_char(path, '\0') >= 0)
		return refuse(a, "a Unix socket is written redis+unix:/path, at most 107 bytes");
	out->hosts = ARENA_NEW(a, RedisHost);
	out->hosts[0].host = str_dup(a, path);
	out->count = 1;
	return query < 0 ? NULL : read_db(a, str_sub(rest, (size_t)query + 4, rest.len), &out->db);
}

static Err *read_rest(Arena *a, Str rest, RedisUrl *out)
{
	ptrdiff_t at = str_rfind_char(rest, '@');
	ptrdiff_t slash;

	if (str_find_char(rest, '?') > at || str_find_char(rest, '#') > at)
		return refuse(a,
		              "nothing may follow the database: settings are keys beside the URL");
	if (at >= 0) {
		TRY(read_user(a, str_sub(rest, 0, (size_t)at), out));
		rest = str_sub(rest, (size_t)at + 1, rest.len);
	}
	slash = str_find_char(rest, '/');
	TRY(read_hosts(a, str_sub(rest, 0, slash < 0 ? rest.len : (size_t)slash), out));
	return read_path(a, slash < 0 ? (Str){ 0 } : str_sub(rest, (size_t)slash + 1, rest.len),
	                 out);
}

Err *redis_url_read(Arena *a, Str text, RedisUrl *out)
{
	*out = (RedisUrl){ 0 };
	if (str_starts(text, S("redis+unix:")))
		return read_unix(a, str_sub(text, S("redis+unix:").len, text.len), out);
	for (size_t i = 0; i < COUNT(schemes); i++) {
		if (!str_starts(text, schemes[i].scheme))
			continue;
		out->kind = schemes[i].kind;
		out->tls = schemes[i].tls;
		return read_rest(a, str_sub(text, schemes[i].scheme.len, text.len), out);
	}
	return refuse(
		a,
		"expected redis://, rediss://, redis+sentinel://, redis+cluster:// or redis+unix:");
}
