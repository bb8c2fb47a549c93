/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan roi`: the money alone, from a file, from options, or from both; an option wins over the file. */
#include "audit/roi_command.h"

#include "audit/money_conf.h"
#include "audit/money_report.h"
#include "base/arena.h"

typedef struct RoiArgs {
	Str file, currency, cost;
	Str in[MONEY_INPUTS];
} RoiArgs;

static const ConfKey roi_operands[] = {
	{ "FILE", CONF_PATH, AT(RoiArgs, file), .help = "the inputs in YAML; none: options alone" },
};

#define IN(name, in_, help_) \
	{ \
		name, CONF_STR, AT(RoiArgs, in[in_]), .verify = money_verify, .value = "AMOUNT", \
						      .help = help_ \
	}
static const ConfKey roi_options[] = {
	IN("hours-lost", MONEY_HOURS, "hours a month that the team loses to the debt"),
	IN("rate", MONEY_RATE, "the price of an hour"),
	IN("infrastructure", MONEY_INFRASTRUCTURE, "infrastructure overhead, a month"),
	IN("opportunity", MONEY_OPPORTUNITY, "what delayed features cost, a year"),
	IN("security", MONEY_SECURITY, "what security risks cost, a year"),
	IN("churn", MONEY_CHURN, "what customers cost who leave for slowness, a year"),
	{ "cost", CONF_STR, AT(RoiArgs, cost), .verify = money_verify, .value = "AMOUNT",
	  .help = "the price of the work; phases are for a file" },
	IN("saving", MONEY_SAVING, "what is saved once the work is done, a month"),
	IN("removed", MONEY_REMOVED, "or the share of the annual cost that goes away"),
	IN("running", MONEY_RUNNING, "what it costs to run what replaces the monolith, a month"),
	IN("years", MONEY_YEARS, "how far to look ahead (3)"),
	IN("budget", MONEY_BUDGET, "the budget of development, a year"),
	IN("velocity-fall", MONEY_VELOCITY, "the share by which velocity falls a year"),
	IN("availability", MONEY_AVAILABILITY, "the share of the time that the product is there"),
	IN("maintenance", MONEY_MAINTENANCE, "the share of critical people's time for maintenance"),
	IN("principal", MONEY_PRINCIPAL, "hours to mend all that was found"),
	{ "currency", CONF_STR, AT(RoiArgs, currency), .max = "8",
	  .help = "what stands before amounts" },
};

/* All mistakes at once, on the way that messages go. */
static Err *read_file(Arena *a, Str path, MoneyConf *into)
{
	AUTO(buf_fini) Buf b = { 0 };
	Conf *conf = conf_new(a);
	Err *err = conf_load(conf, path, &(ConfPart){ money_table(), into }, 1);

	conf_put_mistakes(conf, &b);
	if (b.len)
		fwrite(b.at, 1, b.len, stderr);
	return err;
}

static Err *read_inputs(Cmd *cmd, MoneyCase *c)
{
	const RoiArgs *args = cmd->args;
	Arena *a = cmd->arena;
	MoneyConf conf;

	conf_defaults(a, money_table(), &conf);
	if (args->file.len)
		TRY(read_file(a, args->file, &conf));
	if (args->currency.len)
		conf.currency = args->currency;
	TRY(money_case_of(a, &conf, c));
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++)
		if (args->in[in].len)
			TRY(money_set(a, c, in, args->in[in], MONEY_CONFIGURED, S("option")));
	return args->cost.len ? money_set_cost(a, c, args->cost) : NULL;
}

static bool is_empty(const MoneyCase *c)
{
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++)
		if (c->in[in].source > MONEY_DEFAULT)
			return false;
	return !c->phase_count && !c->claim_count;
}

static Err *roi_run(Cmd *cmd)
{
	AUTO(buf_fini) Buf b = { 0 };
	MoneyCase c;
	MoneyResult r;

	TRY(read_inputs(cmd, &c));
	if (is_empty(&c))
		return err_new(
			cmd->arena, ERR_INVALID, "roi.nothing",
			"nothing was given to reckon with: give a file or options (banyan roi --help)");
	money_reckon(cmd->arena, &c, &r);
	if (cmd->json) {
		JsonWriter w = json_writer(&b);

		money_put_json(&w, &c, &r);
		buf_putc(&b, '\n');
	} else {
		money_put_screen(&b, cmd->arena, &c, &r);
	}
	fwrite(b.at, 1, b.len, cmd->out);
	return NULL;
}

const Command *roi_commands(size_t *count)
{
	static const Command rows[] = {
		{ "roi", .group = "assess",
		  .summary = "what the debt costs, and whether mending it pays",
		  .help = "An amount is 800, 40K, $1.69M or 45%, or a range: 60..95, 60..75..95. What has no range is taken "
		          "as a guess, half and half again. Nothing is made up: what is not given is unknown.",
		  .run = roi_run, .json = true, COMMAND_OPTIONS(roi_options),
		  COMMAND_OPERANDS(roi_operands), .size = sizeof(RoiArgs),
		  .examples =
		          "banyan roi --hours-lost 800 --rate 60..75..95 --cost 1.69M --saving 150K\n"
		          "banyan roi money.yaml --json\n" },
	};

	*count = COUNT(rows);
	return rows;
}
