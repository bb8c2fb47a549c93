/* SPDX-License-Identifier: Apache-2.0
 *
 * "host:port" taken apart. The port is always written: a server without one is more often a slip than port 80. */
#include "gateway/address.h"

#include "http/trust.h"

#include <string.h>

enum { UNIX_PATH_MAX_BYTES = 107, HOST_MAX_BYTES = 253 };

static bool is_name(Str host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];
		bool letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && c != '-' && c != '_' && !(c == '.' && i && host.at[i - 1] != '.'))
			return false;
	}
	return host.len <= HOST_MAX_BYTES;
}

static bool split_unix(Str path, AddressConf *out)
{
	if (!path.len || path.len > UNIX_PATH_MAX_BYTES ||
	    (path.at[0] != '/' && path.at[0] != '.' && path.at[0] != '@') ||
	    memchr(path.at, 0, path.len))
		return false;
	out->unix_path = path;
	return true;
}

bool address_split(Str text, AddressConf *out)
{
	AddressConf address = { .text = text };
	ptrdiff_t colon = str_rfind_char(text, ':');
	uint64_t port;
	Ip ip;

	if (str_starts(text, S("unix:"))) {
		if (!split_unix(str_sub(text, 5, text.len), &address))
			return false;
		*out = address;
		return true;
	}
	if (colon < 0 || !str_to_u64(str_sub(text, (size_t)colon + 1, text.len), &port) ||
	    port > UINT16_MAX)
		return false;
	address.host = str_sub(text, 0, (size_t)colon);
	address.port = (uint16_t)port;
	if (address.host.len && address.host.at[0] == '[') {
		if (!ip_parse(address.host, &ip))
			return false;
		address.host = str_sub(address.host, 1, address.host.len - 1);
	} else if (!is_name(address.host)) {
		return false;
	}
	*out = address;
	return true;
}

bool address_is_local_form(const AddressConf *address)
{
	Ip ip;

	return address->unix_path.len || !address->host.len || ip_parse(address->host, &ip);
}

bool address_is_loopback(const AddressConf *address)
{
	static const uint8_t v6[16] = { [15] = 1 },
			     v4[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };
	Ip ip;

	if (address->unix_path.len)
		return true;
	return ip_parse(address->host, &ip) &&
	       (!memcmp(ip.at, v6, sizeof v6) || !memcmp(ip.at, v4, sizeof v4));
}

bool address_same(const AddressConf *x, const AddressConf *y)
{
	if (x->unix_path.len || y->unix_path.len)
		return str_eq(x->unix_path, y->unix_path);
	return x->port && x->port == y->port && str_eq_nocase(x->host, y->host);
}
