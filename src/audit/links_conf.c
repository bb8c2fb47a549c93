/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of `audit.imports`. */
#include "audit/links_int.h"

static const ConfWord contract_words[] = {
	{ "layers", CONTRACT_LAYERS, "each layer may import those below it, none above" },
	{ "forbidden", CONTRACT_FORBIDDEN, "some modules may not import others" },
	{ "independence", CONTRACT_INDEPENDENCE, "none of the modules may import another one" },
	{ 0 },
};

static const ConfKey contract_keys[] = {
	{ "name", CONF_NAME, AT(LinkContract, name), .help = "what the reports call it" },
	{ "type", CONF_ENUM, AT(LinkContract, kind), .names = contract_words, .required = true,
	  .help = "what is to hold" },
	{ "layers", CONF_STR, AT_LIST(LinkContract, layers),
	  .help = "packages from the highest layer to the lowest",
	  .more = "`a | b` are side by side and may not import each other; `a : b` may; `(a)` need not exist." },
	{ "containers", CONF_STR, AT_LIST(LinkContract, containers),
	  .help = "packages each of which has those layers directly in it" },
	{ "modules", CONF_STR, AT_LIST(LinkContract, modules),
	  .help = "those that are to be independent, or, of `forbidden`, those that may not",
	  .more = "A package stands for all that is in it. `*` is any one part of a name, `**` any parts." },
	{ "forbidden", CONF_STR, AT_LIST(LinkContract, forbidden),
	  .help = "what they may not import: of the project or outside of it" },
	{ "ignore", CONF_STR, AT_LIST(LinkContract, ignore),
	  .help = "imports that are let through: `shop.api -> shop.legacy.*`" },
	{ "direct", CONF_BOOL, AT(LinkContract, direct),
	  .help = "only imports from one to the other, not over modules between them" },
	{ "typing", CONF_BOOL, AT(LinkContract, typing),
	  .help = "imports under `if TYPE_CHECKING` count too" },
};

/* What no single value shows. */
static void contract_check(Conf *conf, void *object)
{
	const LinkContract *c = object;

	if (c->kind == CONTRACT_LAYERS && c->layers.count < 2)
		conf_mistake(conf, &c->kind, "layers need two at least");
	if (c->kind == CONTRACT_FORBIDDEN && !(c->modules.count && c->forbidden.count))
		conf_mistake(conf, &c->kind, "forbidden needs `modules` and `forbidden`");
	if (c->kind == CONTRACT_INDEPENDENCE && c->modules.count < 2)
		conf_mistake(conf, &c->kind, "independence needs two `modules` at least");
	for (size_t i = 0; i < c->ignore.count; i++)
		if (str_find(c->ignore.at[i], S("->")) < 0)
			conf_mistake(conf, &c->ignore.at[i],
			             "this is not like `shop.api -> shop.legacy`");
}

static const ConfTable contract_table = { "contract", CONF_ROWS(LinkContract, contract_keys),
	                                  .check = contract_check,
	                                  .help = "a rule about who may import whom" };

static const ConfKey links_keys[] = {
	{ "source_roots", CONF_STR, AT_LIST(LinksConf, source_roots),
	  .help = "folders that top packages lie in; none: found by their __init__.py" },
	{ "contracts", CONF_OBJECT, AT_MAP(LinksConf, contracts), .table = &contract_table,
	  .help = "rules about who may import whom" },
	{ "import_linter", CONF_BOOL, AT(LinksConf, linter), .def = "true",
	  .help = "read the contracts of setup.cfg, .importlinter and pyproject.toml too" },
	{ "keep", CONF_STR, AT_LIST(LinksConf, keep),
	  .help = "names that count as used: `on_*`, `api_version`" },
	{ "confidence", CONF_UINT, AT(LinksConf, confidence), .def = "60", .min = "1", .max = "100",
	  .help = "how sure one must be that code is dead to say so, percent" },
};

const ConfTable *links_table(void)
{
	static const ConfTable table = { "imports", CONF_ROWS(LinksConf, links_keys),
		                         .help = "what modules may import, and what is used" };

	return &table;
}
