/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks that are trusted. A list is a handful of rows, looked at one after the other with two 64-bit compares each;
 * words ("private") are rows too: they stand for the networks that everybody would write. */
#include "http/trust.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <string.h>

enum { V4_BITS = 96, WORDS_MAX = 8 };
static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

static const struct Word {
	const char *name;
	const char *networks[WORDS_MAX];
} words[] = {
	{ "loopback", { "127.0.0.0/8", "::1" } },
	{ "private",
	  { "127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
	    "fc00::/7", "fe80::/10" } },
	{ "unix", { NULL } },
};

bool ip_parse(Str text, Ip *out)
{
	char z[IP_TEXT];
	Ip ip = { 0 };

	if (text.len > 2 && text.at[0] == '[' && text.at[text.len - 1] == ']') {
		text = str_sub(text, 1, text.len - 1);
		if (str_find_char(text, ':') < 0)
			return false;
	}
	if (!text.len || text.len >= sizeof z || memchr(text.at, 0, text.len))
		return false;
	memcpy(z, text.at, text.len);
	z[text.len] = 0;
	if (inet_pton(AF_INET6, z, ip.at) == 1) {
		*out = ip;
		return true;
	}
	memcpy(ip.at, v4_prefix, sizeof v4_prefix);
	if (inet_pton(AF_INET, z, ip.at + 12) != 1)
		return false;
	*out = ip;
	return true;
}

/* Once a request, so not by inet_ntop, which prints four times with %u. */
static size_t v4_text(const uint8_t *bytes, char *into)
{
	char *at = into;

	for (int i = 0; i < 4; i++) {
		if (i)
			*at++ = '.';
		if (bytes[i] >= 100)
			*at++ = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			*at++ = (char)('0' + bytes[i] / 10 % 10);
		*at++ = (char)('0' + bytes[i] % 10);
	}
	*at = 0;
	return (size_t)(at - into);
}

size_t ip_text(const Ip *ip, char *into)
{
	if (memcmp(ip->at, v4_prefix, sizeof v4_prefix) == 0)
		return v4_text(ip->at + 12, into);
	inet_ntop(AF_INET6, ip->at, into, IP_TEXT);
	return strlen(into);
}

static uint64_t half(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return __builtin_bswap64(word);
}

/* The bits of one half of an address beyond the first `bits` of it. */
static uint64_t beyond(int bits)
{
	return bits <= 0 ? UINT64_MAX : bits >= 64 ? 0 : UINT64_MAX >> bits;
}

const char *cidr_parse(Str text, Cidr *out)
{
	ptrdiff_t slash = str_find_char(text, '/');
	uint64_t bits = 0;
	Cidr net = { .bits = 128 };
	bool v4;

	if (!ip_parse(slash < 0 ? text : str_sub(text, 0, (size_t)slash), &net.ip))
		return "it must be an address or a network such as 10.0.0.0/8";
	v4 = str_find_char(text, ':') < 0;
	if (slash >= 0) {
		if (!str_to_u64(str_sub(text, (size_t)slash + 1, text.len), &bits) ||
		    bits > (v4 ? 32 : 128))
			return v4 ? "after the slash comes a number of bits, 0 to 32"
			          : "after the slash comes a number of bits, 0 to 128";
		net.bits = (uint8_t)(bits + (v4 ? V4_BITS : 0));
	}
	if ((half(net.ip.at) & beyond(net.bits)) || (half(net.ip.at + 8) & beyond(net.bits - 64)))
		return "the address has bits beyond its network: is the number after the slash right?";
	*out = net;
	return NULL;
}

static const struct Word *find_word(Str item)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(item, str_of(words[i].name)))
			return &words[i];
	return NULL;
}

const char *trust_mistake(Str item)
{
	Cidr net;

	return find_word(item) ? NULL : cidr_parse(item, &net);
}

Trust trust_new(Arena *a, const Str *items, size_t count)
{
	Cidr *rows = ARENA_ARRAY(a, Cidr, count * WORDS_MAX + 1);
	Trust trust = { .at = rows };

	for (size_t i = 0; i < count; i++) {
		const struct Word *word = find_word(items[i]);

		trust.unix_peers = trust.unix_peers || str_eq(items[i], S("unix"));
		for (size_t k = 0; word && k < WORDS_MAX && word->networks[k]; k++)
			trust.count += !cidr_parse(str_of(word->networks[k]), &rows[trust.count]);
		if (!word)
			trust.count += !cidr_parse(items[i], &rows[trust.count]);
	}
	return trust;
}

bool trust_has(const Trust *trust, const Ip *ip)
{
	uint64_t high = half(ip->at), low = half(ip->at + 8);

	for (size_t i = 0; i < trust->count; i++) {
		const Cidr *net = &trust->at[i];

		if (((high ^ half(net->ip.at)) & ~beyond(net->bits)) == 0 &&
		    ((low ^ half(net->ip.at + 8)) & ~beyond(net->bits - 64)) == 0)
			return true;
	}
	return false;
}
