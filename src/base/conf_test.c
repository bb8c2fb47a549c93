/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.c"

#include "base/conf_sample.h"
#include "unit.h"

#include <unistd.h>

static const char good[] =
	"listen:\n"
	"  - address: 127.0.0.1:8080\n"
	"  - address: 127.0.0.1:8443\n"
	"    tls: { certificate: cert.pem, key: key.pem }\n"
	"upstreams:\n"
	"  shop:\n"
	"    servers: [ \"127.0.0.1:8000\", { address: \"127.0.0.1:8001\", weight: 2, max_connections: 64 } ]\n"
	"    balance: hash\n"
	"    health: { path: /healthz, interval: 1500ms }\n"
	"    on: [reset]\n"
	"    budget: 0.5%\n"
	"  other: { servers: 127.0.0.1:9000, health: }\n"
	"routes:\n"
	"  - { name: api, path: /api/**, methods: [GET, POST], to: shop }\n"
	"  - { to: other, methods: GET }\n"
	"headers: { X-One: a, X-Two: { value: \"b: c\" } }\n"
	"body: 64KiB\n"
	"offset: -3\n"
	"alpha: 0.05\n"
	"strict: off\n"
	"log: /var/log/x\n";

static Err *read_text(Arena *a, Str text, Sample *sample, Conf **out)
{
	*out = conf_new(a);
	return conf_read(*out, S("t"), text, &(ConfPart){ &sample_table, sample }, 1);
}

static Str mistakes(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };
	Sample sample;
	Conf *conf;
	Err *err = read_text(a, text, &sample, &conf);
	size_t count;

	conf_mistakes(conf, &count);
	CHECK_ERR(err, count ? "conf.invalid" : NULL);
	conf_put_mistakes(conf, &b);
	return str_dup(a, buf_str(&b));
}

static Str printed(Arena *a, const Sample *sample)
{
	AUTO(buf_fini) Buf b = { 0 };

	conf_put_yaml(&b, &sample_table, sample);
	return str_dup(a, buf_str(&b));
}

TEST(conf_table_of_the_sample_is_sound)
{
	CHECK_OK(conf_check_table(a, &sample_table));
}

TEST(conf_fills_plain_structs)
{
	Sample s;
	Conf *conf;
	const SampleUpstream *shop, *other;

	CHECK_OK(read_text(a, str_of(good), &s, &conf));
	CHECK_INT(s.listen.count, 2);
	CHECK(!s.listen.at[0].has_tls && s.listen.at[1].has_tls);
	CHECK_STR(s.listen.at[1].tls.key, S("key.pem"));
	CHECK_INT(s.upstreams.count, 2);
	shop = &s.upstreams.at[0], other = &s.upstreams.at[1];
	CHECK_STR(shop->name, S("shop"));
	CHECK_STR(shop->servers.at[0].address, S("127.0.0.1:8000"));
	CHECK_INT(shop->servers.at[0].weight, 1);
	CHECK_INT(shop->servers.at[1].weight, 2);
	CHECK_INT(shop->servers.at[1].max_connections, 64);
	CHECK_INT(shop->balance, 7);
	CHECK(shop->has_health && other->has_health);
	CHECK_STR(shop->health.path, S("/healthz"));
	CHECK_INT(shop->health.interval_us, 1500000);
	CHECK_INT(shop->health.fall, 3);
	CHECK_INT(other->health.interval_us, 2000000);
	CHECK_INT(shop->on.count, 1);
	CHECK_INT(shop->on.at[0], 1);
	CHECK_INT(other->on.count, 2);
	CHECK_INT(shop->budget_ppm, 5000);
	CHECK_INT(other->budget_ppm, 200000);
	CHECK_INT(other->servers.count, 1);
	CHECK_INT(s.routes.at[0].methods.count, 2);
	CHECK_STR(s.routes.at[1].methods.at[0], S("GET"));
	CHECK_STR(s.routes.at[1].path, S("/**"));
	CHECK_STR(s.headers.at[0].name, S("X-One"));
	CHECK_STR(s.headers.at[1].value, S("b: c"));
	CHECK_INT(s.body_bytes, 65536);
	CHECK_INT(s.offset, -3);
	CHECK_NEAR(s.alpha, 0.05, 0);
	CHECK(!s.strict);
}

TEST(conf_print_reads_back_to_the_same_print)
{
	static const char *const texts[] = {
		good, "listen: { address: \"a:1\" }\n",
		"listen: [{address: ':1'}]\nupstreams: {\"a b\": {servers: [{address: '::'}], on: [], "
		"note: '$$HOME is $$$$', health: }}\nbody: 1k\noffset: 0\nlog: ''\n"
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		Sample s, again;
		Conf *conf;
		Str text;

		CHECK_OK(read_text(a, str_of(texts[i]), &s, &conf));
		text = printed(a, &s);
		CHECK_OK(read_text(a, text, &again, &conf));
		CHECK_STR(printed(a, &again), text);
	}
}

TEST(conf_print_fills_defaults_in)
{
	Sample s;
	Conf *conf;

	CHECK_OK(read_text(
		a,
		S("listen: [{address: 'a:1'}]\nupstreams: {x: {servers: 'b:2', health: , token: hush}}\n"),
		&s, &conf));
	CHECK_STR(printed(a, &s),
	          S("listen:\n  - address: a:1\n"
	            "upstreams:\n  x:\n    servers:\n      - address: b:2\n        weight: 1\n"
	            "    balance: least_request\n"
	            "    health:\n      path: /\n      interval: 2s\n      fall: 3\n"
	            "    on: [connect, reset]\n    budget: 20%\n    token: (hidden)\n"
	            "body: 10MiB\nalpha: 0.001\nstrict: true\n"));
}

TEST(conf_names_every_mistake_with_its_place)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "listen: [{address: 'a:1'}]", "" },
		{ "", "t:1:1: configuration needs the key \"listen\" (list of listener)\n" },
		{ "listen: []", "t:1:9: listen: must not be empty\n" },
		{ "lisen: [{address: 'a:1'}]",
		  "t:1:1: configuration has no key \"lisen\": did you mean listen?\n"
		  "t:1:1: configuration needs the key \"listen\" (list of listener)\n" },
		{ "listen: [{adress: 'a:1'}]",
		  "t:1:10: listener needs the key \"address\" (text)\n"
		  "t:1:11: listener has no key \"adress\": did you mean address?\n" },
		{ "listen: [{address: 'a:1', zzz: 1}]",
		  "t:1:27: listener has no key \"zzz\"; it has address, tls\n" },
		{ "listen: [{address: a}]", "t:1:20: address: \"a\" has no port\n" },
		{ "listen: x",
		  "t:1:9: listen: expected a list (list of listener), found a value\n" },
		{ "listen: [x]", "t:1:10: listener: expected keys, found a value\n" },
		{ "listen: [{address: }]",
		  "t:1:20: address: expected a value (text), found nothing\n" },
		{ "listen: [{address: [x]}]",
		  "t:1:20: address: expected a value (text), found a list\n" },
		{ "listen: [{address: 'a:1', tls: }]",
		  "t:1:27: tls needs the key \"certificate\" (file)\n"
		  "t:1:27: tls needs the key \"key\" (file)\n" },
		{ "listen: [{address: 'a:1'}]\nbody: 5\noffset: 6\nalpha: 0.6\nstrict: maybe\n",
		  "t:2:7: body: must be at least 1KiB\nt:3:9: offset: must be at most 5\n"
		  "t:4:8: alpha: must be at most 0.5\nt:5:9: strict: \"maybe\" is not true or false\n" },
		{ "listen: [{address: 'a:1'}]\nupstreams:\n  x:\n    servers: [ { address: 'b:1', weight: 70000 } ]\n    balance: least_requests\n",
		  "t:4:42: weight: must be at most 1000\n"
		  "t:5:14: balance: \"least_requests\" is not known: did you mean least_request?\n" },
		{ "listen: [{address: 'a:1'}]\nupstreams:\n  x: {balance: foo}\n",
		  "t:3:3: upstream needs the key \"servers\" (list of server)\n"
		  "t:3:16: balance: \"foo\" is not round_robin, least_request or hash\n" },
		{ "listen: [{address: 'a:1'}]\nupstreams: [x]\n",
		  "t:2:12: upstreams: expected names, each with keys under it (upstream by name), found a list\n" },
		{ "listen: [{address: 'a:1'}]\nupstreams: {a-name-that-is-too-long: {servers: 'b:1', health: {fall: 256, interval: 5}}}\n",
		  "t:2:13: name: must have at most 20 bytes\nt:2:70: fall: must be at most 255\nt:2:85: interval: \"5\" has no unit: us, ms, s, m, h or d\n" },
		{ "listen: [{address: 'a:1'}]\nroutes: [{to: shop, name: a}, {to: shop, name: a}, {}]\n",
		  "t:2:15: no upstream is called \"shop\"\nt:2:36: no upstream is called \"shop\"\n"
		  "t:2:48: name: \"a\" is taken already, in line 2\nt:2:52: route needs the key \"to\" (text)\n" },
		{ "listen: [{address: 'a:1'}\n",
		  "t:2:1: did not find expected ',' or ']', while parsing a flow sequence that began in line 1\n" },
		{ "listen: [{address: 'a:1'}]\nbody: 5\nbody: 64KiB\nalpha: &x 0.6\nstrict: !!bool maybe\nupstreams:\n"
		  "  x: { servers: 'b:1' }\n  x: { server: 'b:1' }\n",
		  "t:2:7: body: must be at least 1KiB\n"
		  "t:3:1: the key \"body\" is there already, in line 2, column 1\n"
		  "t:4:8: anchors (&) and aliases (*) are not taken: write it out, or put it in quotes\n"
		  "t:4:8: alpha: must be at most 0.5\n"
		  "t:5:9: tags (!) are not taken: leave it away, or put it in quotes\n"
		  "t:5:9: strict: \"maybe\" is not true or false\n"
		  "t:8:3: the key \"x\" is there already, in line 7, column 3\n"
		  "t:8:3: upstream needs the key \"servers\" (list of server)\n"
		  "t:8:8: upstream has no key \"server\": did you mean servers?\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].text);
		CHECK_STR(mistakes(a, str_of(cases[i].text)), str_of(cases[i].want));
	}
}

TEST(conf_wrong_values_keep_their_defaults)
{
	Sample s;
	Conf *conf;

	CHECK_ERR(read_text(a, S("body: x\nalpha: y\nstrict: 5\n"), &s, &conf), "conf.invalid");
	CHECK_INT(s.body_bytes, 10 << 20);
	CHECK(s.strict);
	CHECK_ERR(read_text(a, S("a: ["), &s, &conf), "conf.invalid");
	CHECK_INT(s.body_bytes, 10 << 20);
}

TEST(conf_summary_has_the_count_and_the_first)
{
	Sample s;
	Conf *conf;
	Err *err = read_text(a, S("x: 1\nlisten: [{address: 'a:1'}]\nbody: x\n"), &s, &conf);

	CHECK_STR(
		err_chain(a, err),
		S("t has 2 mistakes: t:1:1: configuration has no key \"x\"; it has listen, upstreams, routes, "
	          "headers, body, offset, alpha, strict, log"));
	CHECK_INT(err_exit(err), 2);
}

TEST(conf_keeps_a_hundred_mistakes)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str all;

	for (int i = 0; i < 150; i++)
		buf_fmt(&b, "unknown_key_number_%d: 1\n", i);
	buf_put(&b, S("listen: [{address: 'a:1'}]\n"));
	all = mistakes(a, buf_str(&b));
	CHECK(str_ends(all, S("t: and 50 more\n")));
}

TEST(conf_knows_where_values_stood)
{
	Sample s;
	Conf *conf;
	size_t count;
	const ConfMistake *m;

	CHECK_OK(read_text(a, str_of(good), &s, &conf));
	CHECK_STR(conf_where(conf, &s.listen.at[0].address), S("t:2:14"));
	CHECK_STR(conf_where(conf, &s.listen), S("t:2:3"));
	CHECK_STR(conf_where(conf, &s.upstreams.at[0].name), S("t:6:3"));
	CHECK_STR(conf_where(conf, &s.upstreams.at[0].servers.at[1].weight), S("t:7:71"));
	CHECK_STR(conf_where(conf, &s.upstreams.at[0].servers.at[0].weight),
	          S("t:7:16")); /* by default: the server's */
	CHECK_STR(conf_where(conf, &s.upstreams.at[0].note), S("t:6:3"));
	CHECK_STR(conf_where(conf, &s.routes.at[1].methods.at[0]), S("t:15:27"));
	CHECK_STR(conf_where(conf, NULL), S("t"));
	CHECK_STR(conf_where(conf, a), S("t"));
	conf_mistake(conf, &s.body_bytes, "is %s", "odd");
	conf_mistake(conf, NULL, "the whole");
	m = conf_mistakes(conf, &count);
	CHECK_INT(count, 2);
	CHECK_STR(m[0].text, S("the whole"));
	CHECK_INT(m[1].line, 17);
	CHECK_ERR(conf_result(conf), "conf.invalid");
}

TEST(conf_parts_share_one_file)
{
	typedef struct Other {
		int64_t drain_us;
	} Other;
	static const ConfKey rows[] = { { "drain", CONF_DURATION, AT(Other, drain_us), .def = "5s",
		                          .help = "wait" } };
	static const ConfTable table = { "service", CONF_ROWS(Other, rows) };
	Sample s;
	Other other;
	ConfPart parts[] = { { &sample_table, &s }, { &table, &other } };
	Conf *conf = conf_new(a);
	const ConfMistake *m;
	size_t count;

	CHECK_ERR(conf_read(conf, S("t"), S("listen: {address: 'a:1'}\ndrain: 1s\ndrian: 1\n"),
	                    parts, 2),
	          "conf.invalid");
	CHECK_INT(other.drain_us, 1000000);
	m = conf_mistakes(conf, &count);
	CHECK_INT(count, 1);
	CHECK_STR(m->text, S("configuration has no key \"drian\": did you mean drain?"));
}

static Str write_file(Arena *a, const char *name, const char *text)
{
	Str path = str_fmt(a, "%s/%s", unit_dir(), name);
	FILE *file = fopen(path.at, "w");

	fputs(text, file);
	fclose(file);
	return path;
}

/* An upstream with this key, or this mistake; nothing that came from elsewhere is printed. */
static Sample read_secret(Arena *a, const char *key, const char *written, const char *mistake)
{
	Str text =
		str_fmt(a, "listen: {address: 'a:1'}\nupstreams: {x: {servers: 'b:1', %s: %s}}\n",
	                key, written);
	Conf *conf = conf_new(a);
	size_t count;
	Sample s;

	NOTE("%s", written);
	CHECK_ERR(conf_load(conf, write_file(a, "c.yaml", text.at),
	                    &(ConfPart){ &sample_table, &s }, 1),
	          mistake ? "conf.invalid" : NULL);
	if (mistake)
		CHECK_STR(conf_mistakes(conf, &count)->text, str_of(mistake));
	CHECK_INT(str_find(printed(a, &s), S("hush")), -1);
	return s;
}

TEST(conf_secrets_come_from_elsewhere_and_stay_hidden)
{
	static const struct {
		const char *token, *want, *mistake;
	} cases[] = {
		{ "plain", "plain", NULL },
		{ "'${SAMPLE_TOKEN}'", "hush", NULL },
		{ "'a${SAMPLE_TOKEN}b$$'", "ahushb$", NULL },
		{ "file:token.txt", "from the file", NULL },
		{ "'${SAMPLE_NONE}'", "", "token: the environment has no SAMPLE_NONE" },
		{ "'$x'", "", "token: write ${NAME} for the environment, $$ for a dollar sign" },
		{ "'${x'", "", "token: write ${NAME} for the environment, $$ for a dollar sign" },
		{ "'${}'", "", "token: write ${NAME} for the environment, $$ for a dollar sign" },
	};

	setenv("SAMPLE_TOKEN", "hush", 1);
	write_file(a, "token.txt", "from the file\r\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		Sample s = read_secret(a, "token", cases[i].token, cases[i].mistake);

		CHECK_STR(s.upstreams.at[0].token, str_of(cases[i].want));
	}
}

TEST(conf_hides_what_came_from_elsewhere_and_only_that)
{
	static const struct {
		const char *written, *held, *shown, *mistake;
	} cases[] = {
		{ "plain", "plain", "header: plain", NULL },
		{ "'cost: 5$$'", "cost: 5$", "header: \"cost: 5$$\"", NULL },
		{ "'a${SAMPLE_TOKEN}b'", "ahushb", "header: (hidden)", NULL },
		{ "file:token.txt", "hush too", "header: (hidden)", NULL },
		{ "'${SAMPLE_LONG}'", "", "", "header: the secret is not as expected" },
	};

	setenv("SAMPLE_TOKEN", "hush", 1);
	setenv("SAMPLE_LONG", "hushhushhushhushhushhush", 1);
	write_file(a, "token.txt", "hush too\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		Sample s = read_secret(a, "header", cases[i].written, cases[i].mistake);

		CHECK_STR(s.upstreams.at[0].header, str_of(cases[i].held));
		CHECK(str_find(printed(a, &s), str_of(cases[i].shown)) >= 0);
	}
}

static const Sample *sample_of(Arena *a, const char *upstream)
{
	Sample *s = ARENA_NEW(a, Sample);

	CHECK_OK(conf_read(conf_new(a), S("c.yaml"),
	                   str_fmt(a, "listen: {address: 'a:1'}\nupstreams: {x: {%s}}\n", upstream),
	                   &(ConfPart){ &sample_table, s }, 1));
	return s;
}

TEST(conf_equal_sees_every_difference)
{
	static const struct {
		const char *one, *two;
		bool same;
	} cases[] = {
		{ "servers: 'b:1'", "servers: [{address: 'b:1', weight: 1}]", true },
		{ "servers: 'b:1', balance: least_request", "servers: ['b:1']", true },
		{ "servers: 'b:1'", "servers: 'b:2'", false },
		{ "servers: 'b:1'", "servers: ['b:1', 'b:1']", false },
		{ "servers: ['b:1', 'b:2']", "servers: ['b:2', 'b:1']", false },
		{ "servers: 'b:1', budget: 10%", "servers: 'b:1', budget: 11%", false },
		{ "servers: 'b:1', health: {}", "servers: 'b:1'", false },
		{ "servers: 'b:1', health: {fall: 4}", "servers: 'b:1', health: {fall: 5}", false },
		{ "servers: 'b:1', 'on': [reset]", "servers: 'b:1', 'on': [connect]", false },
		{ "servers: 'b:1', token: a", "servers: 'b:1', token: b", false },
		{ "servers: 'b:1', header: '${SAMPLE_A}'", "servers: 'b:1', header: '${SAMPLE_B}'",
		  false },
		{ "servers: 'b:1', header: '${SAMPLE_A}'", "servers: 'b:1', header: '${SAMPLE_A}'",
		  true },
	};

	setenv("SAMPLE_A", "a", 1);
	setenv("SAMPLE_B", "b", 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s | %s", cases[i].one, cases[i].two);
		CHECK_INT(conf_equal(&sample_table, sample_of(a, cases[i].one),
		                     sample_of(a, cases[i].two)),
		          cases[i].same);
	}
}

TEST(conf_paths_start_at_the_files_folder)
{
	Str path = write_file(
		a, "c.yaml",
		"listen: {address: 'a:1', tls: {certificate: sub/c.pem, key: /k.pem}}\n");
	Conf *conf = conf_new(a);
	Sample s;
	char *real = realpath(unit_dir(), NULL);

	CHECK_OK(conf_load(conf, path, &(ConfPart){ &sample_table, &s }, 1));
	CHECK_STR(s.listen.at[0].tls.certificate, str_fmt(a, "%s/sub/c.pem", real));
	CHECK_STR(s.listen.at[0].tls.key, S("/k.pem"));
	CHECK_STR(conf_where(conf, &s.listen.at[0].tls.key),
	          str_fmt(a, "%.*s:1:61", STR_ARG(path)));
	CHECK_ERR(conf_load(conf_new(a), S("/nowhere.yaml"), &(ConfPart){ &sample_table, &s }, 1),
	          "base.file");
	free(real);
}

TEST(conf_set_takes_one_value_at_a_time)
{
	SampleUpstream u;
	const ConfKey *on = conf_find_key(&sample_upstream, S("on"));
	Err *err;

	conf_defaults(a, &sample_upstream, &u);
	CHECK_INT(u.on.count, 2);
	for (int i = 0; i < 100; i++)
		CHECK_OK(conf_set(a, on, &u, i % 2 ? S("reset") : S("connect")));
	CHECK_INT(u.on.count, 102);
	for (size_t i = 0; i < 102; i++)
		CHECK_INT(u.on.at[i], i % 2);
	err = conf_set(a, on, &u, S("conect"));
	CHECK_ERR(err, "conf.value");
	CHECK_STR(err->text, S("on: \"conect\" is not known: did you mean connect?"));
	CHECK_OK(conf_set(a, conf_find_key(&sample_upstream, S("budget")), &u, S("1%")));
	CHECK_INT(u.budget_ppm, 10000);
}

TEST(conf_reference_documents_every_row)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str text;

	conf_put_markdown(&b, &sample_table);
	text = buf_str(&b);
	for (size_t i = 0; i < COUNT(sample_keys); i++)
		CHECK(str_find(text, str_fmt(a, "| `%s` | ", sample_keys[i].name)) > 0);
	CHECK(str_find(text, S("\n## upstream\n")) > 0);
	CHECK(str_find(
		      text,
		      S("| `upstreams` | [upstream](#upstream) by name | | Groups of servers. |")) >
	              0 ||
	      str_find(
		      text,
		      S("| `upstreams` | [upstream](#upstream) by name |  | Groups of servers. |")) >
	              0);
	CHECK(str_find(
		      text,
		      S("| `interval` | duration (100ms to 1h) | `2s` | From one check to the next. |")) >
	      0);
	CHECK(str_find(text, S("A plain value in its place is its `address`.")) > 0);
	CHECK(str_find(text, S("`round_robin`: in turn; `least_request`: the least busy")) > 0);
}

TEST(conf_tables_that_are_unsound_are_refused)
{
	typedef struct Bad {
		uint32_t number;
		Str text;
		CONF_LIST_OF(Str) list;
		bool flag;
	} Bad;
	static const ConfWord big[] = { { "big", 256, "too big for a byte" }, { 0 } };
	static const struct {
		const char *why;
		ConfKey key;
	} cases[] = {
		{ "another size", { "k", CONF_DURATION, AT(Bad, number), .help = "x" } },
		{ "another size", { "k", CONF_UINT, AT(Bad, text), .help = "x" } },
		{ "shape", { "k", CONF_STR, .offset = 0, .size = 16, .span = 8, .help = "x" } },
		{ "name and a help", { "k", CONF_UINT, AT(Bad, number) } },
		{ "must be at most 5",
		  { "k", CONF_UINT, AT(Bad, number), .def = "7", .max = "5", .help = "x" } },
		{ "not a whole number",
		  { "k", CONF_UINT, AT(Bad, number), .min = "x", .help = "x" } },
		{ "at most 4294967295",
		  { "k", CONF_UINT, AT(Bad, number), .max = "4294967296", .help = "x" } },
		{ "has no default",
		  { "k", CONF_UINT, AT(Bad, number), .def = "1", .required = true, .help = "x" } },
		{ "words belong", { "k", CONF_ENUM, AT(Bad, number), .help = "x" } },
		{ "does not fit",
		  { "k", CONF_ENUM, .offset = 0, .size = 1, .span = 1, .names = big,
		    .help = "x" } },
		{ "are for text",
		  { "k", CONF_UINT, AT(Bad, number), .secret = true, .help = "x" } },
		{ "only one value",
		  { "k", CONF_STR, AT_LIST(Bad, list), .expand = true, .outside = 1,
		    .help = "x" } },
		{ "another struct",
		  { "k", CONF_OBJECT, AT(Bad, text), .table = &sample_tls, .help = "x" } },
		{ "a map holds", { "k", CONF_STR, AT_MAP(Bad, list), .help = "x" } },
		{ "not within",
		  { "k", CONF_UINT, .offset = 4000, .size = 4, .span = 4, .help = "x" } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ConfTable table = {
			.name = "bad", .size = sizeof(Bad), .keys = &cases[i].key, .count = 1
		};
		Err *err = conf_check_table(a, &table);

		NOTE("case %zu: %s", i, cases[i].why);
		CHECK_ERR(err, "conf.table");
		NOTE("%.*s", STR_ARG(err->text));
		CHECK(str_find(err->text, str_of(cases[i].why)) > 0);
	}
}
