/* SPDX-License-Identifier: Apache-2.0
 *
 * The inputs as a file gives them. An input is an amount ("rate: 75", "rate: 60..75..95"), or an amount with where it is from and whether
 * it was measured. What has no range gets one, half and half again, unless it was measured or is a fact of the team (its budget, its
 * availability, ...): a guess is not a point. Only the years looked ahead have a default; no price is ever made up. */
#include "audit/money_conf.h"

#include "base/arena.h"

#define YEARS_AHEAD "3"

Err *money_verify(Arena *a, Str text)
{
	Range range;
	bool ranged;

	return money_read(a, text, &range, &ranged);
}

static const ConfKey value_keys[] = {
	{ "amount", CONF_STR, AT(MoneyValueConf, amount), .required = true, .verify = money_verify,
	  .help = "`800`, `40K`, `$1.69M`, `45%`, or a range: `60..95`, `60..75..95`" },
	{ "from", CONF_STR, AT(MoneyValueConf, from), .help = "where the figure is from" },
	{ "measured", CONF_BOOL, AT(MoneyValueConf, measured),
	  .help = "measured, so not widened to a range" },
};
static const ConfTable value_table = { "figure", CONF_ROWS(MoneyValueConf, value_keys),
	                               .shorthand = "amount",
	                               .help = "an amount, and where it is from" };

static const ConfKey phase_keys[] = {
	{ "name", CONF_STR, AT(MoneyPhaseConf, name), .required = true, .help = "what is done" },
	{ "weeks", CONF_REAL, AT(MoneyPhaseConf, weeks), .min = "0", .max = "1000",
	  .help = "how long it takes" },
	{ "cost", CONF_STR, AT(MoneyPhaseConf, cost), .required = true, .verify = money_verify,
	  .help = "its price" },
};
static const ConfTable phase_table = { "phase", CONF_ROWS(MoneyPhaseConf, phase_keys),
	                               .help = "a part of the work" };

static const ConfWord whats[] = {
	{ "cost", CLAIM_COST, "what the debt costs" },
	{ "saving", CLAIM_SAVING, "what is saved once the work is done" },
	{ "refactoring", CLAIM_REFACTORING, "the price of the work" },
	{ "weeks", CLAIM_WEEKS, "the length of the work" },
	{ "payback", CLAIM_PAYBACK, "months until the price is back" },
	{ "net", CLAIM_NET, "what is left over the years" },
	{ 0 },
};
static const ConfWord pers[] = { { "year", 0, "a year's" }, { "month", 1, "a month's" }, { 0 } };
static const ConfKey claim_keys[] = {
	{ "what", CONF_ENUM, AT(MoneyClaimConf, what), .names = whats, .required = true,
	  .help = "what the figure is of" },
	{ "figure", CONF_STR, AT(MoneyClaimConf, figure), .required = true, .verify = money_verify,
	  .help = "as it was written" },
	{ "per", CONF_ENUM, AT(MoneyClaimConf, per), .names = pers, .def = "year",
	  .help = "of a cost or a saving" },
	{ "where", CONF_STR, AT(MoneyClaimConf, where), .help = "where it was written" },
};
static const ConfTable claim_table = {
	"statement", CONF_ROWS(MoneyClaimConf, claim_keys),
	.help = "a figure that somebody has written: held against the others, never reckoned with"
};

#define IN(name, in_, help_) \
	{ \
		name, CONF_OBJECT, AT(MoneyConf, in[in_]), GIVEN(MoneyConf, has[in_]), \
			.table = &value_table, .help = help_ \
	}
static const ConfKey money_keys[] = {
	{ "currency", CONF_STR, AT(MoneyConf, currency), .def = "$", .max = "8",
	  .help = "what stands before amounts" },
	IN("hours_lost", MONEY_HOURS, "hours a month that the team loses to the debt"),
	IN("rate", MONEY_RATE, "the price of an hour"),
	IN("infrastructure", MONEY_INFRASTRUCTURE, "infrastructure overhead, a month"),
	IN("opportunity", MONEY_OPPORTUNITY, "what delayed features cost, a year"),
	IN("security", MONEY_SECURITY, "what security risks cost, a year"),
	IN("churn", MONEY_CHURN, "what customers cost who leave for slowness, a year"),
	IN("saving", MONEY_SAVING, "what is saved once the work is done, a month"),
	IN("removed", MONEY_REMOVED,
	   "the share of the annual cost that goes away, when `saving` is not given"),
	IN("running", MONEY_RUNNING,
	   "what it costs to run what replaces the monolith, a month; subtracted"),
	IN("years", MONEY_YEARS, "how far to look ahead; 3 when not given"),
	IN("budget", MONEY_BUDGET, "the budget of development, a year"),
	IN("velocity_fall", MONEY_VELOCITY, "the share by which velocity falls a year"),
	IN("availability", MONEY_AVAILABILITY, "the share of the time that the product is there"),
	IN("maintenance", MONEY_MAINTENANCE, "the share of critical people's time for maintenance"),
	IN("principal", MONEY_PRINCIPAL, "hours to mend all that was found"),
	{ "cost", CONF_STR, AT(MoneyConf, cost), .verify = money_verify,
	  .help = "the price of the work, when there are no `phases`" },
	{ "phases", CONF_OBJECT, AT_LIST(MoneyConf, phases), .table = &phase_table,
	  .help = "the work" },
	{ "stated", CONF_OBJECT, AT_LIST(MoneyConf, stated), .table = &claim_table,
	  .help = "figures that were written down, to be held against each other" },
};

/* What no single value shows. */
static void money_check(Conf *conf, void *object)
{
	const MoneyConf *m = object;

	if (m->cost.len && m->phases.count)
		conf_mistake(conf, &m->cost, "cost and phases are two answers to one question");
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++) {
		double most = money_row(in)->most;
		AUTO(arena_freep) Arena *a = arena_new(0);
		Range range;
		bool ranged;

		if (most > 0 && m->in[in].amount.len &&
		    !money_read(a, m->in[in].amount, &range, &ranged) && range.high > most)
			conf_mistake(conf, &m->in[in].amount, "%s can be %s at most",
			             money_row(in)->key, most > 1 ? "50" : "100%");
	}
}

const ConfTable *money_table(void)
{
	static const ConfTable table = { "money", CONF_ROWS(MoneyConf, money_keys),
		                         .check = money_check,
		                         .help = "what the debt costs and what the work would" };

	return &table;
}

Err *money_set(Arena *a, MoneyCase *c, MoneyIn in, Str text, MoneySource source, Str from)
{
	const MoneyInRow *row = money_row(in);
	Range range;
	bool ranged;

	TRY(money_read(a, text, &range, &ranged));
	if (row->most > 0 && range.high > row->most)
		return err_new(a, ERR_INVALID, "money.too_much", "%s can be %s at most, not %.*s",
		               row->key, row->most > 1 ? "50" : "100%", STR_ARG(text));
	if (!ranged && row->assumed && source != MONEY_MEASURED)
		range = money_spread(range.likely);
	if (row->most > 0)
		range.high = MIN(range.high, row->most);
	c->in[in] = (MoneyInput){ range, source, from };
	return NULL;
}

static Err *read_price(Arena *a, Str text, Range *out)
{
	bool ranged;

	TRY(money_read(a, text, out, &ranged));
	if (!ranged)
		*out = money_spread(out->likely);
	return NULL;
}

Err *money_set_cost(Arena *a, MoneyCase *c, Str text)
{
	MoneyPhase *phase = ARENA_NEW(a, MoneyPhase);

	TRY(read_price(a, text, &phase->cost));
	phase->name = S("the work");
	c->phases = phase;
	c->phase_count = 1;
	return NULL;
}

static Err *take_phases(Arena *a, const MoneyConf *conf, MoneyCase *out)
{
	MoneyPhase *phases = ARENA_ARRAY(a, MoneyPhase, conf->phases.count + 1);

	for (size_t i = 0; i < conf->phases.count; i++) {
		const MoneyPhaseConf *from = &conf->phases.at[i];

		phases[i] = (MoneyPhase){ .name = from->name, .weeks = from->weeks };
		TRY(read_price(a, from->cost, &phases[i].cost));
	}
	out->phases = phases;
	out->phase_count = conf->phases.count;
	return conf->cost.len ? money_set_cost(a, out, conf->cost) : NULL;
}

static Err *take_claims(Arena *a, const MoneyConf *conf, MoneyCase *out)
{
	MoneyClaim *claims = ARENA_ARRAY(a, MoneyClaim, conf->stated.count + 1);

	for (size_t i = 0; i < conf->stated.count; i++) {
		const MoneyClaimConf *from = &conf->stated.at[i];
		Range range;
		bool ranged;

		TRY(money_read(a, from->figure, &range, &ranged));
		claims[i] = (MoneyClaim){ from->what, range.likely, from->per == 1, from->where };
	}
	out->claims = claims;
	out->claim_count = conf->stated.count;
	return NULL;
}

Err *money_case_of(Arena *a, const MoneyConf *conf, MoneyCase *out)
{
	*out = (MoneyCase){ .currency = conf->currency };
	TRY(money_set(a, out, MONEY_YEARS, S(YEARS_AHEAD), MONEY_DEFAULT, S("")));
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++) {
		const MoneyValueConf *from = &conf->in[in];

		if (from->amount.len)
			TRY(money_set(a, out, in, from->amount,
			              from->measured ? MONEY_MEASURED : MONEY_CONFIGURED,
			              from->from));
	}
	TRY(take_phases(a, conf, out));
	return take_claims(a, conf, out);
}
