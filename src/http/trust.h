/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose word is taken for who the client is: networks of proxies before this one. Pure; IPv4 is kept as ::ffff:a.b.c.d,
 * so that both forms of an address are the same. */
#pragma once
#include "base/str.h"

typedef struct Ip {
	uint8_t at[16];
} Ip;

typedef struct Cidr {
	Ip ip;
	uint8_t bits; /* of 128 */
} Cidr;

typedef struct Trust {
	const Cidr *at;
	size_t count;
	bool unix_peers; /* those that come over a Unix socket */
} Trust;

/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "::ffff:192.0.2.1"; no zone. */
bool ip_parse(Str text, Ip *out);
/* The shortest form (RFC 5952), IPv4 as such; at most 46 bytes with the NUL. Returns its length. */
enum { IP_TEXT = 46 };
size_t ip_text(const Ip *ip, char *into);
/* An address or a network "10.0.0.0/8"; bits beyond the prefix must be zero. NULL, or what is wrong. */
const char *cidr_parse(Str text, Cidr *out);

/* NULL, or what is wrong with one item of the list: a network, or "loopback", "private" or "unix". */
const char *trust_mistake(Str item);
/* Items without mistakes; lives as long as the arena. */
Trust trust_new(Arena *a, const Str *items, size_t count);
bool trust_has(const Trust *trust, const Ip *ip);
