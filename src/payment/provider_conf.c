/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of `providers` and `routing`. Keys and secrets are hidden when the configuration is shown. */
#include "payment/provider_conf.h"

#include "base/arena.h"
#include "http/ask.h"

static const ConfWord kinds[] = {
	{ "sandbox", PROVIDER_SANDBOX,
	  "no money and no network: payments end as their method's name says; for development" },
	{ "fault", PROVIDER_FAULT, "banyan payment fault-provider" },
	{ "stripe", PROVIDER_STRIPE, "Stripe, or whoever speaks as it does" },
	{ 0 },
};

static Err *verify_url(Arena *a, Str text)
{
	AskUrl url;
	const char *wrong = ask_url_read(a, text, &url);

	if (!wrong && str_ends(text, S("/")))
		wrong = "ends with a slash";
	if (!wrong)
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "%.*s %s", STR_ARG(str_quote(a, text)), wrong);
}

static const ConfKey provider_keys[] = {
	{ "name", CONF_NAME, AT(ProviderConf, name), .max = "40",
	  .help = "what rows, metrics and its webhook's path call it" },
	{ "kind", CONF_ENUM, AT(ProviderConf, type), .names = kinds, .def = "sandbox",
	  .help = "how it is spoken to" },
	{ "url", CONF_STR, AT(ProviderConf, url), .verify = verify_url, .value = "URL",
	  .help = "where it is; of stripe: https://api.stripe.com" },
	{ "key", CONF_STR, AT(ProviderConf, key), .secret = true, .help = "what it knows us by" },
	{ "webhook_secret", CONF_STR, AT(ProviderConf, webhook_secret), .secret = true,
	  .help = "what its webhooks are signed with; none: they are refused" },
	{ "ca", CONF_PATH, AT(ProviderConf, ca), .value = "FILE",
	  .help = "authorities of its certificate; none: the system's" },
	{ "timeout", CONF_DURATION, AT(ProviderConf, timeout_us), .def = "20s", .min = "10ms",
	  .max = "5m",
	  .help = "how long it may take; then the outcome is unknown, and asked for later" },
	{ "absent", CONF_DURATION, AT(ProviderConf, absent_us), .def = "10m", .max = "1d",
	  .help = "so long after it was sent, what the provider does not know will not come any more" },
	{ "failures", CONF_UINT, AT(ProviderConf, failures), .def = "5", .min = "1", .max = "1000",
	  .help = "in a row: then others are preferred" },
	{ "pause", CONF_DURATION, AT(ProviderConf, pause_us), .def = "5s", .min = "1ms",
	  .max = "5m", .help = "for so long at first, then twice that, up to five minutes" },
};
static const ConfTable provider_table = { "provider", CONF_ROWS(ProviderConf, provider_keys),
	                                  .help = "one that moves the money" };

static const ConfKey share_keys[] = {
	{ "provider", CONF_STR, AT(ProviderShare, provider), .required = true, .help = "its name" },
	{ "weight", CONF_UINT, AT(ProviderShare, weight), .def = "0", .max = "1000000",
	  .help = "its share of the payments; 0: after those that have one, in this order" },
};
static const ConfTable share_table = { "share", CONF_ROWS(ProviderShare, share_keys),
	                               .shorthand = "provider",
	                               .help = "a provider that a rule names" };

static const ConfKey rule_keys[] = {
	{ "currencies", CONF_STR, AT_LIST(ProviderRule, currencies), .min = "3", .max = "3",
	  .help = "of the payment; none: any" },
	{ "brands", CONF_STR, AT_LIST(ProviderRule, brands), .max = "40",
	  .help = "of the card; none: any" },
	{ "least", CONF_INT, AT(ProviderRule, least), .def = "0", .min = "0",
	  .help = "in the currency's smallest unit" },
	{ "most", CONF_INT, AT(ProviderRule, most), .def = "0", .min = "0",
	  .help = "in the same; 0: no limit" },
	{ "to", CONF_OBJECT, AT_LIST(ProviderRule, to), .table = &share_table, .required = true,
	  .help = "who is asked, one after the other while nothing was done" },
};
static const ConfTable rule_table = { "routing rule", CONF_ROWS(ProviderRule, rule_keys),
	                              .help = "who gets which payments" };

void providers_conf_keys(ConfKey *rows, size_t offset)
{
	rows[0] = (ConfKey){ "providers", CONF_OBJECT, AT_MAP(ProvidersConf, providers),
		             .table = &provider_table, .help = "who moves the money" };
	rows[1] = (ConfKey){
		"routing", CONF_OBJECT, AT_LIST(ProvidersConf, routing), .table = &rule_table,
		.help = "which payment goes to whom; the first rule that fits; none: in the order of providers"
	};
	for (size_t i = 0; i < PROVIDERS_KEYS; i++)
		rows[i].offset += offset;
}

static bool is_known(const ProvidersConf *all, Str name)
{
	for (size_t i = 0; i < all->providers.count; i++)
		if (str_eq(all->providers.at[i].name, name))
			return true;
	return false;
}

static void check_rule(Conf *conf, const ProvidersConf *all, ProviderRule *rule)
{
	if (rule->most && rule->most < rule->least)
		conf_mistake(conf, &rule->most, "most is below least");
	for (size_t i = 0; i < rule->to.count; i++)
		if (!is_known(all, rule->to.at[i].provider))
			conf_mistake(conf, &rule->to.at[i].provider, "there is no provider %.*s",
			             STR_ARG(rule->to.at[i].provider));
}

void providers_conf_check(Conf *conf, ProvidersConf *providers)
{
	for (size_t i = 0; i < providers->providers.count; i++) {
		ProviderConf *p = &providers->providers.at[i];

		if (p->type == PROVIDER_FAULT && !p->url.len)
			conf_mistake(conf, p, "provider %.*s: it needs a url", STR_ARG(p->name));
		if (p->type != PROVIDER_SANDBOX && p->absent_us < p->timeout_us)
			conf_mistake(
				conf, p,
				"provider %.*s: absent is below timeout: what is still on its way would be taken for lost, and sent twice",
				STR_ARG(p->name));
		if (p->type == PROVIDER_STRIPE && !p->key.len)
			conf_mistake(conf, p, "provider %.*s: it needs a key", STR_ARG(p->name));
	}
	for (size_t i = 0; i < providers->routing.count; i++)
		check_rule(conf, providers, &providers->routing.at[i]);
}
