/* SPDX-License-Identifier: Apache-2.0
 *
 * One access record as a line. This runs for every request, so it writes straight into the lane's buffer: how many bytes
 * a record can take at most is added up first (every byte of a string becomes six at worst, as "\u001f"), and after that
 * nothing asks for room again. Strings go over eight bytes at a time; the rare byte that JSON does not take as it is, or
 * that is not UTF-8 or ASCII, is looked at alone. The date is made once a second and thread. */
#include "obs/access.h"

#include "base/card.h"
#include "base/time.h"

#include <string.h>

enum {
	CUT = 2048, /* path, query, referrer */
	CUT_AGENT = 1024,
	CUT_SHORT = 256,   /* the rest */
	WORST = 6,         /* bytes that one may become */
	FIXED = 2048,      /* names, numbers, punctuation */
	NAME_BYTES = 64,   /* of a parameter's name that are looked at */
	CARD_DIGITS = 13,  /* at least */
	SECOND_BYTES = 19, /* "2026-01-31T23:59:59" */
};
_Static_assert(WORST *(3 * CUT + CUT_AGENT + 13 * CUT_SHORT) + FIXED <= ACCESS_LINE_BYTES,
               "a line may not fit");

static size_t cut(Str text, size_t limit)
{
	return MIN(text.len, limit);
}

static size_t worst_bytes(const AccessRecord *r)
{
	size_t bytes = cut(r->path, CUT) + cut(r->query, CUT) + cut(r->referer, CUT) +
	               cut(r->user_agent, CUT_AGENT);
	const Str rest[] = { r->client,     r->client,   r->peer,    r->method, r->host,
		             r->request_id, r->trace_id, r->span_id, r->route,  r->upstream,
		             r->server,     r->error,    r->message, r->user };

	for (size_t i = 0; i < COUNT(rest); i++)
		bytes += cut(rest[i], CUT_SHORT);
	return bytes * WORST + FIXED;
}

static char *put(char *at, Str text)
{
	if (text.len)
		memcpy(at, text.at, text.len);
	return at + text.len;
}

static char *put_u64(char *at, uint64_t n)
{
	char digits[20];
	size_t len = 0;

	do
		digits[sizeof digits - ++len] = (char)('0' + n % 10);
	while (n /= 10);
	memcpy(at, digits + sizeof digits - len, len);
	return at + len;
}

static char *put_digits(char *at, uint32_t n, int width)
{
	for (int i = width - 1; i >= 0; i--, n /= 10)
		at[i] = (char)('0' + n % 10);
	return at + width;
}

static char *put_time(char *at, int64_t utc_us, int decimals)
{
	static _Thread_local struct {
		int64_t second;
		char text[SECOND_BYTES];
	} cache = { .second = -1 };
	int64_t second = utc_us / US_PER_S;
	uint32_t rest = (uint32_t)(utc_us % US_PER_S);

	if (cache.second != second) {
		AUTO(buf_fini) Buf b = { 0 };

		time_put_rfc3339(&b, second * US_PER_S);
		memcpy(cache.text, b.at, SECOND_BYTES);
		cache.second = second;
	}
	at = put(at, (Str){ cache.text, SECOND_BYTES });
	*at++ = '.';
	return put_digits(at, decimals == 6 ? rest : rest / 1000, decimals);
}

/* Text that is safe within quotes (JSON) or on a terminal. */
typedef enum Quoting { QUOTE_JSON, QUOTE_TERMINAL } Quoting;

static char *put_odd(char *at, Str *rest, Quoting quoting)
{
	unsigned char c = (unsigned char)rest->at[0];
	uint32_t code = c;
	size_t len = c < 0x80 ? 1 : str_utf8(*rest, &code);
	bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);

	if (!len || !code) { /* readers of JSON stumble over a NUL too */
		at = put(at, S("\xef\xbf\xbd"));
	} else if (control && (quoting == QUOTE_TERMINAL || code < 0x20)) {
		at = put(at, quoting == QUOTE_JSON ? S("\\u00") : S("\\x"));
		*at++ = "0123456789abcdef"[code >> 4];
		*at++ = "0123456789abcdef"[code & 15];
	} else {
		if (quoting == QUOTE_JSON && (c == '"' || c == '\\'))
			*at++ = '\\';
		at = put(at, str_sub(*rest, 0, len));
	}
	*rest = str_sub(*rest, MAX(len, (size_t)1), rest->len);
	return at;
}

static uint64_t has_byte(uint64_t word, uint64_t byte)
{
	uint64_t x = word ^ (byte * UINT64_C(0x0101010101010101));

	return (x - UINT64_C(0x0101010101010101)) & ~x;
}

/* May one of the eight bytes need a closer look? Never no when one does. */
static bool is_odd(uint64_t word)
{
	uint64_t low = (word - UINT64_C(0x2020202020202020)) & ~word;

	return ((low | has_byte(word, '"') | has_byte(word, '\\') | has_byte(word, 0x7f) | word) &
	        UINT64_C(0x8080808080808080)) != 0;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static char *put_text(char *at, Str rest, Quoting quoting)
{
	while (rest.len) {
		uint64_t word;

		if (rest.len >= sizeof word &&
		    (memcpy(&word, rest.at, sizeof word), !is_odd(word))) {
			memcpy(at, &word, sizeof word);
			at += sizeof word;
			rest.at += sizeof word;
			rest.len -= sizeof word;
		} else if (is_plain((unsigned char)rest.at[0])) {
			*at++ = *rest.at++;
			rest.len--;
		} else {
			at = put_odd(at, &rest, quoting);
		}
	}
	return at;
}

/* Query strings. */

static bool begins(const char *at, size_t len, Str word)
{
	return *at == *word.at && len >= word.len && memcmp(at, word.at, word.len) == 0;
}

/* Does the name of a parameter sound like a secret? An escaped one might, and a very long one. */
static bool is_secret(Str name)
{
	static const Str within[] = { S("token"),      S("secret"), S("passw"),   S("auth"),
		                      S("signature"),  S("apikey"), S("session"), S("private"),
		                      S("credential"), S("jwt"),    S("_key"),    S("-key") };
	static const Str whole[] = { S("code"), S("key"), S("sig"),   S("sid"),    S("pwd"),
		                     S("pin"),  S("otp"), S("state"), S("ticket"), S("nonce") };
	char lower[NAME_BYTES];

	if (name.len > sizeof lower)
		return true;
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] == '%')
			return true;
		lower[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] | 0x20)
		                                                  : name.at[i];
	}
	for (size_t i = 0; i < COUNT(whole) && name.len; i++)
		if (name.len == whole[i].len && begins(lower, name.len, whole[i]))
			return true;
	for (size_t i = 0; i < name.len; i++)
		for (size_t k = 0; k < COUNT(within); k++)
			if (begins(lower + i, name.len - i, within[k]))
				return true;
	return false;
}

static int hex_of(char c)
{
	return c >= '0' && c <= '9'                     ? c - '0'
	       : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
	                                                : -1;
}

/* A card's number, which nobody may keep, escaped or not? Few texts have as many digits. */
static bool has_card(Str raw)
{
	char text[CUT];
	size_t digits = 0, len = 0;

	for (size_t i = 0; i < raw.len; i++)
		digits += raw.at[i] >= '0' && raw.at[i] <= '9';
	if (digits < CARD_DIGITS)
		return false;
	for (size_t i = 0; i < raw.len && len < sizeof text; i++) {
		int high = i + 2 < raw.len && raw.at[i] == '%' ? hex_of(raw.at[i + 1]) : -1;
		int low = high < 0 ? -1 : hex_of(raw.at[i + 2]);

		text[len++] = low >= 0           ? (char)(high << 4 | low)
		              : raw.at[i] == '+' ? ' '
		                                 : raw.at[i];
		i += low >= 0 ? 2 : 0;
	}
	return card_in((Str){ text, len });
}

static char *put_query(char *at, Str query, AccessQuery how, Quoting quoting)
{
	Str rest = query, pair;
	bool more = false;

	if (how == ACCESS_QUERY_KEEP)
		return put_text(at, query, quoting);
	while (query.len && str_split(&rest, '&', &pair)) {
		ptrdiff_t equals = str_find_char(pair, '=');
		size_t name = equals < 0 ? pair.len : (size_t)equals;

		if (more)
			*at++ = '&';
		more = true;
		if (equals >= 0 && name + 1 < pair.len && is_secret(str_sub(pair, 0, name))) {
			at = put_text(at, str_sub(pair, 0, name + 1), quoting);
			at = put(at, S("***"));
		} else if (!has_card(pair)) {
			at = put_text(at, pair, quoting);
		} else {
			if (equals >= 0 && !has_card(str_sub(pair, 0, name)))
				at = put_text(at, str_sub(pair, 0, name + 1), quoting);
			at = put(at, S("***"));
		}
	}
	return at;
}

static Str shown_path(Str path)
{
	return has_card(path) ? S("***") : path;
}

/* A URL with a query in it. */
static char *put_url(char *at, Str url, AccessQuery how, Quoting quoting)
{
	ptrdiff_t mark = how == ACCESS_QUERY_KEEP ? -1 : str_find_char(url, '?');

	if (mark < 0)
		return put_text(at, how == ACCESS_QUERY_KEEP ? url : shown_path(url), quoting);
	at = put_text(at, shown_path(str_sub(url, 0, (size_t)mark)), quoting);
	if (how == ACCESS_QUERY_DROP)
		return at;
	*at++ = '?';
	return put_query(at, str_sub(url, (size_t)mark + 1, url.len), how, quoting);
}

/* JSON. The names come with what stands before them: ,"name": */

static char *put_str(char *at, Str name, Str value, size_t limit)
{
	if (!value.len)
		return at;
	at = put(at, name);
	*at++ = '"';
	at = put_text(at, str_sub(value, 0, limit), QUOTE_JSON);
	*at++ = '"';
	return at;
}

static char *put_number(char *at, Str name, uint64_t n)
{
	return put_u64(put(at, name), n);
}

static Str version_text(uint8_t version)
{
	return version == 20 ? S("2") : version == 10 ? S("1.0") : S("1.1");
}

static Str outcome(const AccessRecord *r)
{
	if (r->cancelled)
		return S("unknown");
	return r->status && r->status < 500 ? S("success") : S("failure");
}

static char *put_json_request(char *at, const AccessRecord *r, AccessQuery query)
{
	at = put_str(at, S(",\"http.request.method\":"), r->method, CUT_SHORT);
	at = put(at, r->tls ? S(",\"url.scheme\":\"https\"") : S(",\"url.scheme\":\"http\""));
	at = put_str(at, S(",\"url.domain\":"), r->host, CUT_SHORT);
	at = put_str(at, S(",\"url.path\":"), shown_path(r->path), CUT);
	if (r->query.len && query != ACCESS_QUERY_DROP) {
		at = put_query(put(at, S(",\"url.query\":\"")), str_sub(r->query, 0, CUT), query,
		               QUOTE_JSON);
		*at++ = '"';
	}
	at = put_str(at, S(",\"http.version\":"), version_text(r->version), CUT_SHORT);
	at = put_str(at, S(",\"http.request.id\":"), r->request_id, CUT_SHORT);
	at = put_str(at, S(",\"trace.id\":"), r->trace_id, CUT_SHORT);
	at = put_str(at, S(",\"span.id\":"), r->span_id, CUT_SHORT);
	at = put_str(at, S(",\"user.id\":"), r->user, CUT_SHORT);
	at = put_number(at, S(",\"http.request.body.bytes\":"), r->bytes_in);
	at = put_str(at, S(",\"user_agent.original\":"), r->user_agent, CUT_AGENT);
	if (r->referer.len) {
		at = put_url(put(at, S(",\"http.request.referrer\":\"")),
		             str_sub(r->referer, 0, CUT), query, QUOTE_JSON);
		*at++ = '"';
	}
	return at;
}

static char *put_json_client(char *at, const AccessRecord *r)
{
	bool is_ip = r->client.len &&
	             (str_find_char(r->client, '.') >= 0 || str_find_char(r->client, ':') >= 0);

	at = put_str(at, S(",\"client.address\":"), r->client, CUT_SHORT);
	if (is_ip)
		at = put_str(at, S(",\"client.ip\":"), r->client, CUT_SHORT);
	if (r->client_port)
		at = put_number(at, S(",\"client.port\":"), r->client_port);
	if (!str_eq(r->peer, r->client))
		at = put_str(at, S(",\"source.address\":"), r->peer, CUT_SHORT);
	return at;
}

static char *put_json_banyan(char *at, const AccessRecord *r)
{
	at = put_str(at, S(",\"banyan.route\":"), r->route, CUT_SHORT);
	at = put_str(at, S(",\"banyan.upstream\":"), r->upstream, CUT_SHORT);
	at = put_str(at, S(",\"banyan.server\":"), r->server, CUT_SHORT);
	if (r->attempts) {
		at = put_number(at, S(",\"banyan.attempts\":"), r->attempts);
		at = put(at,
		         r->reused ? S(",\"banyan.reused\":true") : S(",\"banyan.reused\":false"));
	}
	if (r->connect_us >= 0)
		at = put_number(at, S(",\"banyan.connect_us\":"), (uint64_t)r->connect_us);
	if (r->head_us >= 0)
		at = put_number(at, S(",\"banyan.head_us\":"), (uint64_t)r->head_us);
	if (r->cancelled)
		at = put(at, S(",\"banyan.cancelled\":true"));
	at = put_str(at, S(",\"error.code\":"), r->error, CUT_SHORT);
	return put_str(at, S(",\"error.message\":"), r->message, CUT_SHORT);
}

size_t access_put_json(char *into, size_t room, const AccessRecord *r, AccessQuery query)
{
	char *at = into;

	if (room < worst_bytes(r))
		return 0;
	at = put_time(put(at, S("{\"@timestamp\":\"")), r->start_us, 6);
	at = put(
		at,
		S("Z\",\"ecs.version\":\"8.11.0\",\"service.name\":\"banyan\",\"event.kind\":\"event\","
	          "\"event.category\":[\"web\"],\"event.type\":[\"access\"],\"event.dataset\":\"banyan.access\""));
	at = put_number(at, S(",\"event.duration\":"),
	                (uint64_t)MAX(r->took_us, INT64_C(0)) * 1000);
	at = put_str(at, S(",\"event.outcome\":"), outcome(r), CUT_SHORT);
	at = put_json_request(at, r, query);
	if (r->status)
		at = put_number(at, S(",\"http.response.status_code\":"), r->status);
	at = put_number(at, S(",\"http.response.body.bytes\":"), r->bytes_out);
	at = put_json_client(at, r);
	at = put_json_banyan(at, r);
	at = put(at, S("}\n"));
	return (size_t)(at - into);
}

/* Text. */

static char *put_word(char *at, Str name, Str value, size_t limit)
{
	return value.len ? put_text(put(at, name), str_sub(value, 0, limit), QUOTE_TERMINAL) : at;
}

static char *put_ms(char *at, int64_t us)
{
	uint64_t tenths = (uint64_t)MAX(us, INT64_C(0)) / 100;

	at = put_u64(at, tenths / 10);
	*at++ = '.';
	*at++ = (char)('0' + tenths % 10);
	return put(at, S("ms"));
}

size_t access_put_text(char *into, size_t room, const AccessRecord *r, AccessQuery query)
{
	char *at = into;

	if (room < worst_bytes(r))
		return 0;
	at = put_time(at, r->start_us, 3);
	into[10] = ' ';
	*at++ = ' ';
	at = r->status ? put_u64(at, r->status) : put(at, S("---"));
	at = put_word(at, S(" "), r->method, CUT_SHORT);
	at = put(at, r->tls ? S(" https://") : S(" http://"));
	at = put_word(at, S(""), r->host, CUT_SHORT);
	at = put_word(at, S(""), shown_path(r->path), CUT);
	if (r->query.len && query != ACCESS_QUERY_DROP)
		at = put_query(put(at, S("?")), str_sub(r->query, 0, CUT), query, QUOTE_TERMINAL);
	*at++ = ' ';
	at = put_ms(at, r->took_us);
	*at++ = ' ';
	at = put(put_u64(at, r->bytes_out), S("B"));
	at = put_word(at, S(" from "), r->client, CUT_SHORT);
	at = put_word(at, S(" route="), r->route, CUT_SHORT);
	at = put_word(at, S(" server="), r->server, CUT_SHORT);
	if (r->attempts > 1)
		at = put_number(at, S(" attempts="), r->attempts);
	if (r->cancelled)
		at = put(at, S(" cancelled"));
	at = put_word(at, S(" error="), r->error, CUT_SHORT);
	if (r->message.len)
		at = put(put_word(at, S(" ("), r->message, CUT_SHORT), S(")"));
	at = put_word(at, S(" id="), r->request_id, CUT_SHORT);
	*at++ = '\n';
	return (size_t)(at - into);
}
