/* SPDX-License-Identifier: Apache-2.0
 *
 * Content codings that a client takes. What is not listed has the value of "*", and without that: identity is
 * fine, all others are not. A malformed value counts as 1, as if it had not been there. */
#include "http/coding.h"

enum { NOT_SAID = UINT16_MAX };

typedef struct Said {
	uint16_t br, gzip, identity, any;
} Said;

/* "0.8" as thousandths. */
static uint16_t q_of(Str parameters)
{
	Str parameter;

	while (str_split(&parameters, ';', &parameter)) {
		Str value = str_trim(parameter);
		unsigned q = 0;

		if (!str_eq_nocase(str_sub(value, 0, 2), S("q=")))
			continue;
		if (value.len < 3 || value.at[2] != '0')
			return 1000;
		for (size_t i = 4; i < 7; i++)
			q = q * 10 + (i < value.len && value.at[i] >= '0' && value.at[i] <= '9'
			                      ? (unsigned)value.at[i] - '0'
			                      : 0);
		return (uint16_t)q;
	}
	return 1000;
}

static void note(Said *said, Str name, uint16_t q)
{
	if (str_eq_nocase(name, S("br")))
		said->br = q;
	else if (str_eq_nocase(name, S("gzip")) || str_eq_nocase(name, S("x-gzip")))
		said->gzip = q;
	else if (str_eq_nocase(name, S("identity")))
		said->identity = q;
	else if (str_eq(name, S("*")))
		said->any = q;
}

static uint16_t wanted(uint16_t said, uint16_t any, uint16_t unsaid)
{
	if (said != NOT_SAID)
		return said;
	return any != NOT_SAID ? any : unsaid;
}

Codings http_codings(const Headers *headers)
{
	Said said = { NOT_SAID, NOT_SAID, NOT_SAID, NOT_SAID };

	for (uint32_t i = 0; i < headers->count; i++) {
		Str rest = headers->at[i].value, item, name;

		if (headers->at[i].id != HTTP_ACCEPT_ENCODING)
			continue;
		while (str_split(&rest, ',', &item)) {
			str_split(&item, ';', &name);
			note(&said, str_trim(name), item.at ? q_of(item) : 1000);
		}
	}
	return (Codings){ wanted(said.br, said.any, 0), wanted(said.gzip, said.any, 0),
		          wanted(said.identity, said.any, 1) };
}
