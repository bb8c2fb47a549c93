/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger as a journal that two programs read which know nothing of us: hledger and beancount. Each adds up every transaction by
 * itself, so an error of ours is theirs to find.
 *
 * Their languages overlap in what is needed: comments behind ';', a transaction's line of date, '*' and strings in quotes, postings with
 * an amount and a commodity behind it. `open` and `balance` are beancount's words; hledger takes these lines for transactions without
 * postings, and lets them be. So one file serves both. A balance is looked at by beancount on the day after the last transaction:
 * these amounts come out of the accounts' rows, not out of the postings.
 *
 * Debits are positive, credits negative. Holds are no transactions and are left out. An account's code becomes a path of theirs:
 * provider:fault is Assets:Provider:Fault. */
#include "payment/ledger_export.h"

#include "base/arena.h"
#include "base/args.h"
#include "base/civil.h"
#include "base/map.h"
#include "base/time.h"
#include "payment/ledger_int.h"
#include "base/money.h"
#include "payment/payment.h"
#include "rt/work.h"
#include "service/service.h"

#include "payment_ledger_list_sql.h"

#include <errno.h>

enum { ACCOUNTS_AT_ONCE = 500, GROUPS_AT_ONCE = 500 };

typedef struct Export {
	FILE *to;
	Buf out;
	bool begun;
	uint64_t groups;
	int64_t first_us, last_us;
	Map sides; /* of accounts, by code: their first word */
} Export;

static void export_fini(Export *x)
{
	buf_fini(&x->out);
	map_fini(&x->sides);
}

static void flush(Export *x)
{
	fwrite(x->out.at, 1, x->out.len, x->to);
	buf_clear(&x->out);
}

/* --- words of theirs ---------------------------------------------------------------------------------------------------- */

static const char *const roots[] = {
	[LEDGER_ASSET] = "Assets",  [LEDGER_LIABILITY] = "Liabilities", [LEDGER_EQUITY] = "Equity",
	[LEDGER_INCOME] = "Income", [LEDGER_EXPENSE] = "Expenses",
};
_Static_assert(COUNT(roots) == LEDGER_SIDES, "a side has no root");

static void put_day(Buf *b, int64_t us, int64_t more)
{
	int64_t days = us / (SECONDS_OF_DAY * US_PER_S) + more;
	Civil day = civil_of(days);

	buf_fmt(b, "%04" PRId64 "-%02d-%02d", day.year, day.month, day.day);
}

/* Parts begin with a capital or a digit. */
static void put_path(Buf *b, const char *root, Str code)
{
	bool first = true;

	buf_put(b, str_of(root));
	buf_putc(b, ':');
	for (size_t i = 0; i < code.len; i++) {
		char c = code.at[i];

		buf_putc(b, first && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
		first = c == ':';
	}
}

/* What would end a string or begin a comment is left out. */
static void put_string(Buf *b, Str text)
{
	buf_putc(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		buf_putc(b, c < ' ' || c == '"' || c == '\\' || c == ';' || c == '|' || c == 0x7f
		                    ? ' '
		                    : (char)c);
	}
	buf_putc(b, '"');
}

static void put_posting(Export *x, Arena *a, Str code, int64_t amount, Str currency)
{
	const char *root = map_get(&x->sides, code);

	buf_put(&x->out, S("  "));
	put_path(&x->out, root ? root : "Equity", code);
	buf_fmt(&x->out, "    %.*s\n", STR_ARG(money_text(a, amount, currency)));
}

/* --- the three parts ---------------------------------------------------------------------------------------------------- */

typedef Err *AccountFn(Export *x, Arena *a, const LedgerAccount *account);

static Err *each_account(Export *x, Db *db, Arena *a, AccountFn *fn)
{
	LedgerAccountsAsk ask = { .most = ACCOUNTS_AT_ONCE };
	LedgerAccount *accounts;
	size_t count;

	do {
		TRY(ledger_accounts_after(db, a, &ask, &accounts, &count));
		for (size_t i = 0; i < count; i++)
			TRY(fn(x, a, &accounts[i]));
		if (count) {
			ask.after_currency = accounts[count - 1].currency;
			ask.after_code = accounts[count - 1].code;
		}
		flush(x);
	} while (count == ask.most);
	return NULL;
}

/* An account of several currencies is one of theirs. */
static Err *open_one(Export *x, Arena *a, const LedgerAccount *account)
{
	(void)a;
	if (map_get(&x->sides, account->code))
		return NULL;
	map_put(&x->sides, account->code, (void *)(uintptr_t)roots[account->side]);
	put_day(&x->out, x->first_us, 0);
	buf_put(&x->out, S(" open "));
	put_path(&x->out, roots[account->side], account->code);
	buf_putc(&x->out, '\n');
	return NULL;
}

static Err *balance_one(Export *x, Arena *a, const LedgerAccount *account)
{
	put_day(&x->out, x->last_us, 1);
	buf_put(&x->out, S(" balance "));
	put_path(&x->out, roots[account->side], account->code);
	buf_fmt(&x->out, "    %.*s\n",
	        STR_ARG(money_text(a, account->debits - account->credits, account->currency)));
	return NULL;
}

static void put_move(Export *x, Arena *a, const LedgerMovesBetweenRow *row, Uuid *group)
{
	if (!uuid_eq(*group, row->group_id)) {
		*group = row->group_id;
		x->groups++;
		buf_putc(&x->out, '\n');
		put_day(&x->out, row->happened_at, 0);
		buf_put(&x->out, S(" * "));
		put_string(&x->out,
		           str_fmt(a, "%.*s %.*s", STR_ARG(row->kind), STR_ARG(row->source)));
		buf_putc(&x->out, ' ');
		put_string(&x->out, row->memo);
		buf_putc(&x->out, '\n');
	}
	put_posting(x, a, row->debit, row->amount, row->currency);
	put_posting(x, a, row->credit, -row->amount, row->currency);
}

static Err *put_groups(Export *x, Db *db, Arena *a)
{
	Uuid after = { { 0 } }, group = { { 0 } };
	LedgerMovesBetweenRow *moves;
	LedgerGroupsAfterRow *ids;
	size_t count, n;

	do {
		Mark mark = arena_mark(a);

		TRY(db_all(db, a, ledger_groups_after, &ids, &count, .after = after,
		           .most = GROUPS_AT_ONCE));
		if (!count)
			break;
		TRY(db_all(db, a, ledger_moves_between, &moves, &n, .after = after,
		           .last = ids[count - 1].id));
		for (size_t i = 0; i < n; i++)
			put_move(x, a, &moves[i], &group);
		after = ids[count - 1].id;
		flush(x);
		arena_reset(a, mark);
	} while (count == GROUPS_AT_ONCE);
	return NULL;
}

static Err *export_all(Db *tx, Arena *a, void *arg)
{
	Export *x = arg;
	LedgerDaysRow *days;

	if (x->begun)
		return err_new(a, ERR_BUSY, "ledger.export",
		               "the database wanted the reading begun anew");
	x->begun = true;
	TRY(db_one(tx, a, ledger_days, &days));
	x->first_us = days && days->first.set ? days->first.v : 0;
	x->last_us = days && days->last.set ? days->last.v : 0;
	buf_put(&x->out, S("; The ledger, for hledger and beancount. Debits are positive.\n\n"));
	TRY(each_account(x, tx, a, open_one));
	TRY(put_groups(x, tx, a));
	buf_putc(&x->out, '\n');
	return each_account(x, tx, a, balance_one);
}

Err *ledger_export(Db *db, Arena *a, FILE *to, uint64_t *groups)
{
	AUTO(export_fini) Export x = { .to = to };

	TRY(db_txn(db, a, DB_SNAPSHOT, export_all, &x));
	*groups = x.groups;
	return NULL;
}

/* --- the command -------------------------------------------------------------------------------------------------------- */

typedef struct ExportArgs {
	Str config, file;
	bool ledger;
} ExportArgs;

typedef struct Opening {
	const char *path;
	FILE *file;
	int errnum;
} Opening;

static void open_away(void *arg)
{
	Opening *o = arg;

	o->file = fopen(o->path, "w");
	o->errnum = errno;
}

static Err *open_file(Cmd *cmd, Str path, FILE **out)
{
	Opening o = { .path = str_z(cmd->arena, path) };

	*out = cmd->out;
	if (!path.len)
		return NULL;
	TRY(work_run(open_away, &o));
	*out = o.file;
	return o.file ? NULL
	              : err_errno(cmd->arena, o.errnum, "ledger.export", "%.*s", STR_ARG(path));
}

static Err *export_home(Cmd *cmd, ServiceHome *home, void *arg)
{
	const ExportArgs *args = arg;
	uint64_t groups = 0;
	FILE *to;
	Err *err;

	TRY(open_file(cmd, args->file, &to));
	err = ledger_export(home->db, cmd->arena, to, &groups);
	if (to != cmd->out && fclose(to) && !err)
		return err_errno(cmd->arena, errno, "ledger.export", "%.*s", STR_ARG(args->file));
	if (!err && to != cmd->out)
		fprintf(cmd->out, "%" PRIu64 " transactions in %.*s\n", groups,
		        STR_ARG(args->file));
	return err;
}

static Err *export_run(Cmd *cmd)
{
	const ExportArgs *args = cmd->args;

	if (!args->ledger)
		return err_new(cmd->arena, ERR_INVALID, "args.missing", "say what: --ledger");
	return service_command(cmd, payment_service(), args->config, export_home, cmd->args);
}

static const ConfKey export_options[] = {
	{ "config", CONF_STR, AT(ExportArgs, config), .letter = 'c', .value = "FILE",
	  .def = "banyan.yaml", .help = "the configuration that says where the service is" },
	{ "ledger", CONF_BOOL, AT(ExportArgs, ledger),
	  .help = "the ledger, as a journal that hledger and beancount read" },
	{ "output", CONF_STR, AT(ExportArgs, file), .letter = 'o', .value = "FILE",
	  .help = "write it there" },
};
static const Command rows[] = {
	{ "payment export", .group = "services", .summary = "write the books for other programs",
	  .help = "Reads one moment, while the service runs or not.", .run = export_run,
	  .size = sizeof(ExportArgs), COMMAND_OPTIONS(export_options) },
};

const Command *ledger_commands(size_t *count)
{
	*count = COUNT(rows);
	return rows;
}
