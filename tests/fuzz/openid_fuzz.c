/* SPDX-License-Identifier: Apache-2.0
 *
 * What a provider sends a browser back with, and what its claims are: in any bytes. An answer that is taken has no name twice that
 * matters; whoever gets in has a name that is printable and short, and a role that one of the values gives. */
#include "console/openid.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_who(Arena *a, Str text)
{
	static Str operates[] = { S("sre") };
	static const AdminOpenidConf conf = { .claim = S("r.s"),
		                              .name = S("sub"),
		                              .roles = { .operate = { operates, 1 } } };
	const Json *claims;
	AdminWho who;

	if (json_read(a, text, 0, &claims) || openid_who(a, &conf, claims, NULL, &who))
		return;
	must(who.role == ADMIN_OPERATE && who.name.len && who.name.len <= 64);
	must(str_find(text, S("\"")) >= 0);
	for (size_t i = 0; i < who.name.len; i++)
		must((unsigned char)who.name.at[i] >= ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size };
	Arena *a = arena_new(0);
	Answer answer;

	if (!read_answer(a, text, &answer) && answer.state.len) {
		AUTO(buf_fini) Buf again = { 0 };
		Answer other;

		buf_put(&again, text);
		buf_put(&again, S("&state=x"));
		must(read_answer(a, buf_str(&again), &other) == &twice);
	}
	check_who(a, text);
	arena_free(a);
	return 0;
}
