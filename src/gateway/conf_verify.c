/* SPDX-License-Identifier: Apache-2.0
 *
 * Single values of the configuration: is what was written something that can be used at all? Each function says what was
 * expected instead; what two values together must be is conf_check.c's. */
#include "gateway/conf_int.h"

#include "base/arena.h"
#include "gateway/route_pattern.h"
#include "gateway/route_regex.h"
#include "gateway/template.h"
#include "http/message.h"

#include <string.h>

static Err *refuse(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "conf.value", "%.*s: %s", STR_ARG(str_quote(a, text)), why);
}

/* What is usually meant. */
static Err *refuse_address(Arena *a, Str text, const char *expected)
{
	Str port = str_sub(text, (size_t)(str_rfind_char(text, ':') + 1), text.len);
	uint64_t number;

	if (str_starts(text, S("http://")))
		return refuse(a, text, "an address has no http:// before it");
	if (str_starts(text, S("https://")))
		return refuse(a, text, "an address has no https:// before it: that is the key tls");
	if (port.len < text.len && str_to_u64(port, &number) && number > UINT16_MAX)
		return refuse(a, text, "a port is at most 65535");
	return refuse(a, text, expected);
}

Err *verify_listen(Arena *a, Str text)
{
	AddressConf address;

	if (!address_split(text, &address))
		return refuse_address(a, text, "expected address:port, :port or unix:/path");
	if (!address_is_local_form(&address))
		return refuse(
			a, text,
			"a listener needs an address, not a name: write :port for all of them");
	return NULL;
}

Err *verify_admin(Arena *a, Str text)
{
	return str_eq(text, S("off")) ? NULL : verify_listen(a, text);
}

Err *verify_takeover(Arena *a, Str text)
{
	AddressConf address;

	if (str_eq(text, S("off")) || (address_split(text, &address) && address.unix_path.len))
		return NULL;
	return refuse(a, text, "expected unix:/path or off");
}

Err *verify_server(Arena *a, Str text)
{
	AddressConf address;

	if (!address_split(text, &address))
		return refuse_address(a, text, "expected host:port or unix:/path");
	if (!address.unix_path.len && (!address.host.len || !address.port))
		return refuse(a, text, "a server needs a host and a port");
	return NULL;
}

static Err *verify_pattern(Arena *a, Str text, const char *mistake)
{
	return mistake ? refuse(a, text, mistake) : NULL;
}

Err *verify_host(Arena *a, Str text)
{
	return verify_pattern(a, text, route_host_mistake(text));
}

Err *verify_path(Arena *a, Str text)
{
	const char *mistake = route_path_mistake(text);
	Str expression;

	if (!mistake && route_is_expression(text, &expression))
		return verify_expression(a, expression);
	return verify_pattern(a, text, mistake);
}

Err *verify_method(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] >= 'a' && text.at[i] <= 'z')
			return refuse(a, text, "methods are written in upper case");
	if (str_eq(text, S("TRACE")))
		return refuse(a, text, "the gateway refuses it itself, on every route");
	if (!http_is_token(text) || text.len > 24 || str_eq(text, S("CONNECT")))
		return refuse(a, text, "it is no method that a route can take");
	return NULL;
}

Err *verify_prefix(Arena *a, Str text)
{
	const char *mistake = route_path_mistake(text);

	if (mistake)
		return refuse(a, text, mistake);
	if (text.at[0] != '/' || text.len < 2 || text.at[text.len - 1] == '/' ||
	    str_find_char(text, '{') >= 0 || str_find_char(text, '*') >= 0)
		return refuse(a, text,
		              "expected a plain path such as /api, without a slash at its end");
	return NULL;
}

Err *verify_health_path(Arena *a, Str text)
{
	if (!text.len || text.at[0] != '/')
		return refuse(a, text, "it must begin with \"/\"");
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '#')
			return refuse(a, text,
			              "blanks, \"#\" and letters beyond ASCII must be escaped");
	return NULL;
}

bool status_range_split(Str text, uint16_t *min, uint16_t *max)
{
	ptrdiff_t dash = str_find_char(text, '-');
	uint64_t from, to;

	if (!str_to_u64(dash < 0 ? text : str_sub(text, 0, (size_t)dash), &from) ||
	    !str_to_u64(dash < 0 ? text : str_sub(text, (size_t)dash + 1, text.len), &to) ||
	    from < 200 || to > 599 || from > to)
		return false;
	*min = (uint16_t)from;
	*max = (uint16_t)to;
	return true;
}

Err *verify_status(Arena *a, Str text)
{
	uint16_t min, max;

	return status_range_split(text, &min, &max)
	               ? NULL
	               : refuse(a, text, "expected 200 or 200-399, within 200 to 599");
}

bool hash_on_split(Str text, HashOn *kind, Str *name)
{
	*name = S("");
	*kind = HASH_ON_PEER;
	if (str_eq(text, S("peer")))
		return true;
	if (str_starts(text, S("header:")))
		*kind = HASH_ON_HEADER;
	else if (str_starts(text, S("cookie:")))
		*kind = HASH_ON_COOKIE;
	else
		return false;
	*name = str_sub(text, 7, text.len);
	return http_is_token(*name);
}

Err *verify_hash_on(Arena *a, Str text)
{
	HashOn kind;
	Str name;

	return hash_on_split(text, &kind, &name)
	               ? NULL
	               : refuse(a, text, "expected peer, header:NAME or cookie:NAME");
}

Err *verify_network(Arena *a, Str text)
{
	return verify_pattern(a, text, trust_mistake(text));
}

/* Not one that frames a message, routes it or says who the client is. */
Err *verify_id_header(Arena *a, Str text)
{
	HeaderId id = http_is_token(text) ? header_id(text) : HTTP_HOST;

	if ((id != HTTP_OTHER && id != HTTP_X_REQUEST_ID) || str_find_char(text, '_') >= 0)
		return refuse(a, text, "it is no header that can carry an id");
	return NULL;
}

Err *verify_name(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    !strchr("_.-", c))
			return refuse(a, text,
			              "a name has letters, digits, \"_\", \"-\" and \".\"");
	}
	return text.len && text.len <= 64 ? NULL : refuse(a, text, "a name has 1 to 64 letters");
}

Err *verify_log(Arena *a, Str text)
{
	bool path = text.len && (text.at[0] == '/' || text.at[0] == '.');

	if (!path && !str_eq(text, S("stdout")) && !str_eq(text, S("stderr")) &&
	    !str_eq(text, S("off")))
		return refuse(
			a, text,
			"expected stdout, stderr, off, or a path that begins with \"/\" or \".\"");
	return NULL;
}

Err *verify_ca_name(Arena *a, Str text)
{
	const char *mistake =
		str_starts(text, S("*")) ? "it must be one name" : route_host_mistake(text);

	return mistake ? refuse(a, text, mistake) : NULL;
}

Err *verify_condition_name(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((text.at[i] >= 0 && text.at[i] < ' ') || text.at[i] == 127)
			return refuse(a, text, "a name has no control characters");
	return text.len ? NULL : refuse(a, text, "a name has at least a letter");
}

Err *verify_expression(Arena *a, Str text)
{
	return route_regex_check(a, text);
}

/* Not one that frames a message. */
Err *verify_field_name(Arena *a, Str text)
{
	static const Str framing[] = { S("Connection"),        S("Content-Length"),
		                       S("Transfer-Encoding"), S("Upgrade"),
		                       S("Keep-Alive"),        S("TE"),
		                       S("Trailer"),           S("Host") };

	if (!http_is_token(text))
		return refuse(a, text, "it is no name of a header");
	for (size_t i = 0; i < COUNT(framing); i++)
		if (str_eq_nocase(text, framing[i]))
			return refuse(a, text, "it frames the message, so it is not to be changed");
	return NULL;
}

Err *verify_field_value(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((text.at[i] >= 0 && text.at[i] < ' ') || text.at[i] == 127)
			return refuse(a, text, "a header has no control characters");
	return NULL;
}

static Err *verify_kind(Arena *a, Str text, TemplateKind kind)
{
	Str mistake = template_mistake(a, kind, text, NULL);

	return mistake.len ? err_new(a, ERR_INVALID, "conf.value", "%.*s: %.*s",
	                             STR_ARG(str_quote(a, text)), STR_ARG(mistake))
	                   : NULL;
}

Err *verify_template(Arena *a, Str text)
{
	return verify_kind(a, text, TEMPLATE_FIELD);
}

Err *verify_rewrite(Arena *a, Str text)
{
	return verify_kind(a, text, TEMPLATE_PATH);
}

Err *verify_index_name(Arena *a, Str text)
{
	if (!text.len || str_find_char(text, '/') >= 0 || text.at[0] == '.')
		return refuse(a, text, "expected the name of a file");
	return NULL;
}
