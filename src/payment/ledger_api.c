/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's own API: /v1/ledger/accounts, transfers, balances. JSON, problem documents, pages as everywhere in Banyan; what
 * is Stripe's is elsewhere.
 *
 * A POST is one transaction whatever it brings: up to 8190 transfers in up to 1000 groups, all or none. A group of a kind and source
 * that is there already is no error when it says the same, so a batch may be sent again without an Idempotency-Key too. Kinds of
 * the service's own bookings are not to be had here: what they stand for is looked for by them (ledger_fsck.c). */
#include "payment/ledger_api.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/guard.h"
#include "payment/ledger_int.h"
#include "payment/ledger_json.h"

enum { BATCH_GROUPS = 1000, BATCH_BYTES = 4 << 20, BATCH_ACCOUNTS = 1000 };

/* --- accounts ----------------------------------------------------------------------------------------------------------- */

typedef struct AccountsIn {
	CONF_LIST_OF(LedgerAccountIn) accounts;
} AccountsIn;
static const Field accounts_rows[] = {
	{ "accounts", FIELD_OBJECT, AT_LIST(AccountsIn, accounts), .required = true,
	  .items_max = BATCH_ACCOUNTS, .table = &ledger_account_in,
	  .help = "all of them are opened, or none; those that are there are found again" },
};
static const FieldTable accounts_in = { "LedgerAccountsIn", FIELD_ROWS(AccountsIn, accounts_rows),
	                                .help = "accounts to open" };

static Err *open_accounts(ServiceCall *c, Db *tx, void *arg)
{
	const AccountsIn *in = c->in;
	JsonWriter *w = service_json(c);

	(void)arg;
	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < in->accounts.count; i++) {
		const LedgerAccountIn *one = &in->accounts.at[i];
		LedgerAccount *account;

		TRY(ledger_open(tx, c->arena,
		                &(LedgerAccount){ .code = one->code,
		                                  .currency = one->currency,
		                                  .side = (LedgerSide)one->side,
		                                  .limit = (LedgerLimit)one->limit,
		                                  .hot = one->hot },
		                &account));
		ledger_account_put(w, c->arena, account);
	}
	json_end(w);
	json_end(w);
	return NULL;
}

static Err *accounts_post(ServiceCall *c)
{
	const AccountsIn *in = c->in;

	for (size_t i = 0; i < in->accounts.count; i++)
		if (guard_has_card(in->accounts.at[i].code))
			service_mistake(c,
			                field_pointer(c->arena,
			                              field_pointer_at(c->arena, S("/accounts"), i),
			                              S("code"))
			                        .at,
			                "card", "card numbers are not kept here");
	TRY(service_mistakes(c));
	return service_effect(c, DB_READ_COMMITTED, open_accounts, NULL);
}

typedef struct AccountsQuery {
	Str currency, prefix, cursor;
	int64_t limit;
} AccountsQuery;
static const Field accounts_query_rows[] = {
	{ "currency", FIELD_STR, AT(AccountsQuery, currency), .max = 3,
	  .help = "of this currency only" },
	{ "prefix", FIELD_STR, AT(AccountsQuery, prefix), .max = LEDGER_CODE_MOST,
	  .help = "this account and those below it: provider is provider and provider:..." },
	{ "limit", FIELD_INT, AT(AccountsQuery, limit), .min = 1, .max = 100,
	  .help = "of a page; 20" },
	{ "cursor", FIELD_STR, AT(AccountsQuery, cursor), .help = "the `next` of the page before" },
};
static const FieldTable accounts_query = { "LedgerAccountsQuery",
	                                   FIELD_ROWS(AccountsQuery, accounts_query_rows),
	                                   .help = "which accounts" };

static Err *accounts_get(ServiceCall *c)
{
	const AccountsQuery *in = c->query;
	LedgerAccountsAsk ask = { .prefix = in->prefix };
	LedgerAccount *accounts;
	ServicePage page;
	size_t count;
	JsonWriter *w;
	Str last = S("");

	TRY(service_page(c, &page));
	if (in->currency.len && !ledger_currency(in->currency, &ask.currency))
		service_mistake(c, "currency", "format", "currency is none");
	TRY(service_mistakes(c));
	ask.after_code = page.after;
	str_split(&ask.after_code, ' ', &ask.after_currency);
	ask.most = page.limit + 1;
	TRY(ledger_accounts_after(c->db, c->arena, &ask, &accounts, &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++) {
		ledger_account_put(w, c->arena, &accounts[i]);
		last = str_fmt(c->arena, "%.*s %.*s", STR_ARG(accounts[i].currency),
		               STR_ARG(accounts[i].code));
	}
	service_page_end(c, &page, last);
	return NULL;
}

static Err *account_find(ServiceCall *c, LedgerAccount **out)
{
	TRY(ledger_account(c->db, c->arena, service_part(c, "code"), service_part(c, "currency"),
	                   out));
	if (!*out)
		return err_new(c->arena, ERR_NOT_FOUND, "ledger.account",
		               "there is no such account");
	return NULL;
}

static Err *account_get(ServiceCall *c)
{
	LedgerAccount *account;

	TRY(account_find(c, &account));
	ledger_account_put(service_json(c), c->arena, account);
	return NULL;
}

static Err *account_lines_get(ServiceCall *c)
{
	LedgerAccount *account;
	LedgerLine *lines;
	ServicePage page;
	int64_t after = 0;
	size_t count;
	JsonWriter *w;

	TRY(account_find(c, &account));
	TRY(service_page(c, &page));
	if (page.after.len && !str_to_i64(page.after, &after))
		return err_new(c->arena, ERR_INVALID, "request.fields",
		               "this cursor is none of ours");
	TRY(ledger_lines_of(c->db, c->arena, account->id, after, page.limit + 1, &lines, &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		ledger_line_put(w, c->arena, &lines[i]);
	service_page_end(c, &page,
	                 page.shown ? str_fmt(c->arena, "%" PRId64, lines[page.shown - 1].seq)
	                            : S(""));
	return NULL;
}

/* --- transfers ---------------------------------------------------------------------------------------------------------- */

typedef struct BatchIn {
	CONF_LIST_OF(LedgerGroupIn) groups;
} BatchIn;
static const Field batch_rows[] = {
	{ "groups", FIELD_OBJECT, AT_LIST(BatchIn, groups), .required = true,
	  .items_max = BATCH_GROUPS, .table = &ledger_group_in,
	  .help = "all of them are posted, or none" },
};
static const FieldTable batch_in = { "LedgerBatch", FIELD_ROWS(BatchIn, batch_rows),
	                             .help = "transfers to post" };

static void group_of(Arena *a, const LedgerGroupIn *in, LedgerGroup *out)
{
	*out = (LedgerGroup){ .kind = in->kind.len ? in->kind : S("manual"),
		              .source = in->source,
		              .currency = in->currency,
		              .memo = in->memo,
		              .at_us = in->at,
		              .at = ARENA_ARRAY(a, LedgerTransfer, in->transfers.count + 1),
		              .count = in->transfers.count };
	for (size_t i = 0; i < out->count; i++) {
		const LedgerTransferIn *t = &in->transfers.at[i];

		out->at[i] = (LedgerTransfer){ .id = t->id,
			                       .deed = (LedgerDeed)t->deed,
			                       .debit = t->debit,
			                       .credit = t->credit,
			                       .amount = t->amount,
			                       .hold = t->hold,
			                       .until_us = t->until };
	}
}

static Err *post_batch(ServiceCall *c, Db *tx, void *arg)
{
	const BatchIn *in = c->in;
	JsonWriter *w = service_json(c);

	(void)arg;
	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < in->groups.count; i++) {
		LedgerPosted posted;
		LedgerGroup group;

		group_of(c->arena, &in->groups.at[i], &group);
		TRY(ledger_post(tx, c->arena, &group, &posted));
		ledger_posted_put(w, c->arena, &group, &posted);
	}
	json_end(w);
	json_end(w);
	return NULL;
}

static void check_texts(ServiceCall *c, const LedgerGroupIn *g, size_t i)
{
	const struct {
		const char *name;
		Str text;
	} texts[] = { { "kind", g->kind }, { "source", g->source }, { "memo", g->memo } };
	Str at = field_pointer_at(c->arena, S("/groups"), i);

	for (size_t k = 0; k < COUNT(texts); k++)
		if (guard_has_card(texts[k].text))
			service_mistake(c, field_pointer(c->arena, at, str_of(texts[k].name)).at,
			                "card", "card numbers are not kept here");
	if (ledger_kind_taken(g->kind))
		service_mistake(c, field_pointer(c->arena, at, S("kind")).at, "invalid",
		                "kind is one of the service's own");
}

static Err *transfers_post(ServiceCall *c)
{
	const BatchIn *in = c->in;
	int64_t moved = 0;
	size_t all = 0;

	for (size_t i = 0; i < in->groups.count; i++) {
		const LedgerGroupIn *g = &in->groups.at[i];

		all += g->transfers.count;
		check_texts(c, g, i);
		for (size_t k = 0; k < g->transfers.count && moved <= LEDGER_AMOUNT_MOST; k++)
			moved += g->transfers.at[k].amount;
	}
	if (all > LEDGER_GROUP_MOST)
		service_mistake(c, "/groups", "too_long",
		                "groups have %zu transfers, of %d at most", all, LEDGER_GROUP_MOST);
	if (moved > LEDGER_AMOUNT_MOST) /* sums have 63 bits, and nothing is ever taken back */
		service_mistake(c, "/groups", "range",
		                "transfers move %" PRId64 " at most together", LEDGER_AMOUNT_MOST);
	TRY(service_mistakes(c));
	return service_effect(c, DB_READ_COMMITTED, post_batch, NULL);
}

static Err *transfers_get(ServiceCall *c)
{
	LedgerLine *lines;
	ServicePage page;
	int64_t after = 0;
	size_t count;
	JsonWriter *w;

	TRY(service_page(c, &page));
	if (page.after.len && !str_to_i64(page.after, &after))
		return err_new(c->arena, ERR_INVALID, "request.fields",
		               "this cursor is none of ours");
	TRY(ledger_lines_after(c->db, c->arena, after, page.limit + 1, &lines, &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		ledger_line_put(w, c->arena, &lines[i]);
	service_page_end(c, &page,
	                 page.shown ? str_fmt(c->arena, "%" PRId64, lines[page.shown - 1].seq)
	                            : S(""));
	return NULL;
}

static Err *transfer_get(ServiceCall *c)
{
	LedgerLine *line;
	Uuid id;

	TRY(service_id(c, "id", LEDGER_TRANSFER_PREFIX, &id));
	TRY(ledger_line(c->db, c->arena, id, &line));
	if (!line)
		return err_new(c->arena, ERR_NOT_FOUND, "ledger.transfer",
		               "there is no such transfer");
	ledger_line_put(service_json(c), c->arena, line);
	return NULL;
}

/* --- balances ----------------------------------------------------------------------------------------------------------- */

static Err *balances_get(ServiceCall *c)
{
	LedgerTotal *totals;
	size_t count;
	JsonWriter *w;

	TRY(ledger_totals(c->db, c->arena, &totals, &count));
	w = service_json(c);
	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		ledger_total_put(w, &totals[i]);
	json_end(w);
	json_end(w);
	return NULL;
}

static const ServiceRoute routes[] = {
	{ "POST", "/v1/ledger/accounts", accounts_post, .scopes = "ledger:write",
	  .body = &accounts_in, .body_max = BATCH_BYTES, .answer = &ledger_accounts_out,
	  .status = 201, .idempotent = true, .tag = "ledger", .help = "open accounts" },
	{ "GET", "/v1/ledger/accounts", accounts_get, .scopes = "ledger:read",
	  .query = &accounts_query, .answer = &ledger_account_out, .list = true, .tag = "ledger",
	  .help = "accounts with their balances" },
	{ "GET", "/v1/ledger/accounts/{currency}/{code}", account_get, .scopes = "ledger:read",
	  .answer = &ledger_account_out, .tag = "ledger", .help = "one account with its balance" },
	{ "GET", "/v1/ledger/accounts/{currency}/{code}/transfers", account_lines_get,
	  .scopes = "ledger:read", .answer = &ledger_line_out, .list = true, .tag = "ledger",
	  .help = "what went to and from an account, oldest first" },
	{ "POST", "/v1/ledger/transfers", transfers_post, .scopes = "ledger:write",
	  .body = &batch_in, .body_max = BATCH_BYTES, .answer = &ledger_posted_out, .status = 201,
	  .idempotent = true, .tag = "ledger", .help = "post groups of transfers, all or none" },
	{ "GET", "/v1/ledger/transfers", transfers_get, .scopes = "ledger:read",
	  .answer = &ledger_line_out, .list = true, .tag = "ledger",
	  .help = "all transfers, oldest first" },
	{ "GET", "/v1/ledger/transfers/{id}", transfer_get, .scopes = "ledger:read",
	  .answer = &ledger_line_out, .tag = "ledger", .help = "one transfer" },
	{ "GET", "/v1/ledger/balances", balances_get, .scopes = "ledger:read",
	  .answer = &ledger_totals_out, .tag = "ledger",
	  .help = "what each currency adds up to, side by side" },
};

/* --- chores ------------------------------------------------------------------------------------------------------------- */

Err *ledger_house(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	int64_t count;

	TRY(ledger_fold(home->db, job_arena(run), &count));
	return ledger_expire(home->db, job_arena(run), time_utc_us(), &count);
}

ServiceRoutes ledger_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
