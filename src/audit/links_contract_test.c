/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/links_contract.c"

#include "links_project.h"

TEST(contract_names_fit_packages_and_stars)
{
	static const struct {
		Str name, pattern;
		bool below, want;
	} cases[] = {
		{ S("a"), S("a"), false, true },
		{ S("a.b"), S("a"), true, true },
		{ S("a.b"), S("a"), false, false },
		{ S("ab"), S("a"), true, false },
		{ S("a"), S("a.b"), true, false },
		{ S("a.b"), S("a.*"), false, true },
		{ S("a.b.c"), S("a.*"), false, false },
		{ S("a.b.c"), S("a.*"), true, true },
		{ S("a.b.c"), S("a.*.c"), false, true },
		{ S("a.b.c"), S("a.**"), false, true },
		{ S("a"), S("a.**"), false, false },
		{ S("a.b.c.d"), S("**.d"), false, true },
		{ S("a.b.c.d"), S("a.**.c"), false, false },
		{ S("a.b.c.d"), S("a.**.c"), true, true },
		{ S("a.x.c.y.c"), S("a.**.c"), false, true },
		{ S("*"), S("a"), false, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s of %.*s", STR_ARG(cases[i].pattern), STR_ARG(cases[i].name));
		CHECK_INT(module_fits(cases[i].name, cases[i].pattern, cases[i].below),
		          cases[i].want);
	}
}

/* "name: a>b>c a>d" of all breaches. */
static Str breaches(Arena *a, const Page *pages, size_t count, const char *yaml)
{
	AUTO(buf_fini) Buf b = { 0 };
	LinksConf conf;
	Conf *reading = conf_new(a);
	Links *links;

	CHECK_OK(conf_read(reading, S("test"), str_of(yaml), &(ConfPart){ links_table(), &conf },
	                   1));
	links = (Links *)(uintptr_t)links_of(a, &conf, pages, count);
	CHECK_OK(links_contracts(a, &conf, links));
	for (size_t i = 0; i < links->breach_count; i++) {
		const LinkBreach *breach = &links->breaches[i];

		buf_fmt(&b, "%s%.*s:%u", b.len ? " " : "",
		        STR_ARG(links->modules[breach->module].name), breach->line);
		for (uint32_t e = 0; e < breach->chain_count; e++)
			buf_fmt(&b, ">%.*s",
			        STR_ARG(links->modules[links->edges[breach->chain[e]].to].name));
		if (breach->outside.len)
			buf_fmt(&b, ">%.*s", STR_ARG(breach->outside));
	}
	for (size_t i = 0; i < links->contract_count; i++)
		if (links->contracts[i].odd.len)
			buf_fmt(&b, " (%.*s)", STR_ARG(links->contracts[i].odd));
	return str_dup(a, buf_str(&b));
}

TEST(contracts_are_broken_directly_and_over_others)
{
	static const Page pages[] = {
		{ "s/__init__.py", "" },
		{ "s/api/__init__.py", "" },
		{ "s/api/v1.py", "import s.core.x\nimport s.data" },
		{ "s/core/__init__.py", "" },
		{ "s/core/x.py", "\nimport s.helper\ndef f():\n  import s.data" },
		{ "s/core/y.py", "if TYPE_CHECKING:\n  import s.api.v1" },
		{ "s/data.py", "import requests, os\nfrom s.helper import h" },
		{ "s/helper.py", "import s.way\nimport django.db" },
		{ "s/way.py", "from s.api import v1" },
	};
	static const struct {
		const char *contract, *want;
	} cases[] = {
		/* core and data reach api over helper and way; api may use those below it */
		{ "type: layers, layers: [s.api, s.core, s.data]",
		  "s.core.x:2>s.helper>s.way>s.api.v1 s.data:2>s.helper>s.way>s.api.v1" },
		{ "type: layers, layers: [s.api, s.core, s.data], direct: true", "" },
		{ "type: layers, layers: [s.api, s.core], typing: true",
		  "s.core.x:4>s.data>s.helper>s.way>s.api.v1 s.core.x:2>s.helper>s.way>s.api.v1 "
		  "s.core.y:2>s.api.v1" },
		{ "type: layers, layers: [s.data, s.core, s.api]",
		  "s.api.v1:2>s.data s.core.x:4>s.data s.api.v1:1>s.core.x" },
		{ "type: layers, layers: [api, core, data], containers: [s]",
		  "s.core.x:2>s.helper>s.way>s.api.v1 s.data:2>s.helper>s.way>s.api.v1" },
		{ "type: layers, layers: [s.api, 's.core | s.data'], direct: true",
		  "s.core.x:4>s.data" },
		{ "type: layers, layers: [s.api, 's.core : s.data'], direct: true", "" },
		{ "type: layers, layers: [s.api, (s.none), s.gone], direct: true",
		  " (there is no module s.gone)" },
		{ "type: layers, layers: [s.api, s.core, s.data], ignore: ['s.way -> s.api.*']",
		  "" },
		{ "type: layers, layers: [s.api, s.core, s.data], ignore: ['s.core.* -> s.helper']",
		  "s.data:2>s.helper>s.way>s.api.v1" },
		{ "type: independence, modules: [s.api, s.data, s.core], direct: true",
		  "s.api.v1:2>s.data s.core.x:4>s.data s.api.v1:1>s.core.x" },
		{ "type: forbidden, modules: [s.core], forbidden: [s.data]",
		  "s.core.x:4>s.data s.core.x:2>s.helper>s.way>s.api.v1>s.data" },
		{ "type: forbidden, modules: [s.core], forbidden: [requests]",
		  "s.core.x:4>s.data>requests s.core.x:2>s.helper>s.way>s.api.v1>s.data>requests" },
		{ "type: forbidden, modules: [s.data], forbidden: [requests, django.db], direct: true",
		  "s.data:1>requests" },
		{ "type: forbidden, modules: [s.data], forbidden: [django]",
		  "s.data:2>s.helper>django" },
		{ "type: forbidden, modules: [s.data], forbidden: [django.http]", "" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].contract);
		CHECK_STR(breaches(a, pages, COUNT(pages),
		                   str_z(a, str_fmt(a, "contracts: { c: { %s } }",
		                                    cases[i].contract))),
		          str_of(cases[i].want));
	}
}

TEST(contracts_that_say_nothing_are_mistakes)
{
	static const char *const cases[] = {
		"type: layers, layers: [a]",
		"type: forbidden, modules: [a]",
		"type: independence, modules: [a]",
		"type: independence, modules: [a, b], ignore: ['a b']",
		"layers: [a, b]",
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		LinksConf conf;
		Str text = str_fmt(a, "contracts: { c: { %s } }", cases[i]);

		NOTE("%s", cases[i]);
		CHECK_ERR(conf_read(conf_new(a), S("test"), text,
		                    &(ConfPart){ links_table(), &conf }, 1),
		          "conf.invalid");
	}
	CHECK_OK(conf_check_table(a, links_table()));
}
