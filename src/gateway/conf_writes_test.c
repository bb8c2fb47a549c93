/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf_writes.c"

#include "unit.h"

TEST(the_table_is_sound)
{
	CHECK_OK(conf_check_table(a, &writes_conf_table));
}

TEST(keys_are_read)
{
	static const struct {
		Str text;
		int by; /* -1: it is none */
		Str name;
	} cases[] = {
		{ S("path"), WRITES_BY_PATH, S("") },
		{ S("path.id"), WRITES_BY_PART, S("id") },
		{ S("path."), -1, S("") },
		{ S("paths"), -1, S("") },
		{ S("header:X-Tenant"), WRITES_BY_HEADER, S("X-Tenant") },
		{ S("header:"), -1, S("") },
		{ S("header:a b"), -1, S("") },
		{ S("user"), WRITES_BY_USER, S("") },
		{ S("user.id"), -1, S("") },
		{ S("claim:sub"), WRITES_BY_CLAIM, S("sub") },
		{ S("claim:"), -1, S("") },
		{ S("body.order.id"), WRITES_BY_BODY, S("order") },
		{ S("body .order"), WRITES_BY_BODY, S("order") },
		{ S("body"), -1, S("") },
		{ S("body.items[].id"), -1, S("") },
		{ S(""), -1, S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		WritesKey key = { 0 };
		Err *err = writes_key_read(a, cases[i].text, &key);

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK(!err == (cases[i].by >= 0));
		if (err)
			continue;
		CHECK(key.by == cases[i].by);
		CHECK_STR(key.by == WRITES_BY_BODY ? key.path.names[0] : key.name, cases[i].name);
	}
}

static Str mistakes_of(Arena *a, const char *writes)
{
	AUTO(buf_fini) Buf b = { 0 };
	Conf *conf = conf_new(a);
	GatewayConf *g;
	Str text = str_fmt(
		a,
		"listen: [ 127.0.0.1:8080 ]\n"
		"upstreams: { shop: { servers: [ 127.0.0.1:8000 ] }, next: { servers: [ 127.0.0.1:8001 ] } }\n"
		"routes:\n - { name: one, match: '/a/{id}', old: shop, new: next, writes: %s }\n",
		writes);
	Err *err = gateway_conf_read(a, conf, S("b.yaml"), text, &g);

	if (err)
		CHECK_ERR(err, "conf.invalid");
	conf_put_mistakes(conf, &b);
	return str_dup(a, buf_str(&b));
}

static Str covers_orders(const GatewayConf *g, Str table)
{
	CHECK(g->routes.count == 1);
	return str_eq(table, S("orders")) ? S("moves.shop") : (Str){ 0 };
}

TEST(a_table_that_a_database_move_covers_is_refused)
{
	static const char both[] = "{ mode: dual, tables: [ users, orders ] }";

	CHECK_STR(mistakes_of(a, both), S("")); /* nobody moves databases yet */
	writes_conf_moves(covers_orders);
	CHECK(str_find(mistakes_of(a, both), S("tables: orders is moved by moves.shop already")) >
	      0);
	CHECK_STR(mistakes_of(a, "{ mode: dual, tables: [ users ] }"), S(""));
	CHECK_STR(mistakes_of(a, "{ mode: single, tables: [ orders ] }"), S(""));
	writes_conf_moves(NULL);
}

TEST(a_key_names_a_part_that_the_path_has)
{
	CHECK_STR(mistakes_of(a, "{ mode: dual, key: path.id }"), S(""));
	CHECK(str_find(mistakes_of(a, "{ mode: dual, key: path.name }"),
	               S("the route's path has no part {name}")) > 0);
}
