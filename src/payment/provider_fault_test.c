/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/provider_fault.c"

#include "unit.h"

#include "base/time.h"
#include "payment/fault_server.h"
#include "rt/loop.h"

/* A fault provider and its adapter, in one process, over a real socket. */
typedef struct Pair {
	Arena *a;
	FaultBook *book;
	FaultTeller *teller;
	FaultServer *server;
	ProvidersConf conf;
	ProviderConf row;
	Providers *all;
	const Provider *p;
} Pair;

typedef void PairTest(Pair *t);
static PairTest *pair_test;

static void open_pair(Pair *t)
{
	FaultServerConf conf = { .listen = S("127.0.0.1:0"), .key = S("sesame") };

	CHECK_OK(fault_book_open(t->a, S(""), &t->book));
	CHECK_OK(fault_teller_open(t->a, S(""), S(""), &t->teller));
	conf.book = t->book;
	conf.teller = t->teller;
	CHECK_OK(fault_server_open(t->a, &conf, &t->server));
	t->row = (ProviderConf){ .name = S("main"),
		                 .type = PROVIDER_FAULT,
		                 .url = str_fmt(t->a, "http://%.*s",
		                                STR_ARG(fault_server_address(t->server, t->a))),
		                 .key = S("sesame"),
		                 .timeout_us = 100 * US_PER_MS,
		                 .failures = 3,
		                 .pause_us = US_PER_S };
	t->conf.providers.at = &t->row;
	t->conf.providers.count = 1;
	CHECK_OK(providers_open(t->a, &t->conf, false, &t->all));
	t->p = providers_at(t->all, 0);
}

static Err *pair_main(void *arg)
{
	Pair t = { .a = arg };

	open_pair(&t);
	pair_test(&t);
	providers_close(t.all);
	fault_server_close(t.server);
	fault_teller_close(t.teller);
	fault_book_close(t.book);
	return NULL;
}

static void with_pair(Arena *a, PairTest *test)
{
	pair_test = test;
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, pair_main, a));
}

static ProviderAsk ask_of(const char *key, const char *token, int64_t amount)
{
	return (ProviderAsk){ .key = str_of(key),
		              .token = str_of(token),
		              .amount = amount,
		              .currency = S("eur"),
		              .subject = S("pi_1"),
		              .order = S("order-7") };
}

static ProviderAnswer authorize_with(Pair *t, const char *key, const char *token, int64_t amount)
{
	ProviderAsk ask = ask_of(key, token, amount);
	ProviderAnswer answer;

	CHECK_OK(provider_authorize(t->p, t->a, &ask, &answer));
	return answer;
}

static ProviderAnswer get_key(Pair *t, const char *key)
{
	ProviderAsk ask = { .key = str_of(key) };
	ProviderAnswer answer;

	CHECK_OK(provider_get(t->p, t->a, &ask, &answer));
	return answer;
}

static void what_is_said(Pair *t)
{
	static const struct {
		const char *token;
		int64_t amount;
		ProviderResult result;
		ProviderResult later; /* asked by its key */
		const char *code;
	} cases[] = {
		{ "pm_card_visa", 1250, PROVIDER_OK, PROVIDER_OK, "" },
		{ "tok_mastercard", 1250, PROVIDER_OK, PROVIDER_OK, "" },
		{ "pm_card_chargeDeclined", 1250, PROVIDER_DECLINED, PROVIDER_DECLINED,
		  "card_declined" },
		{ "pm_card_chargeDeclinedExpiredCard", 1250, PROVIDER_DECLINED, PROVIDER_DECLINED,
		  "expired_card" },
		{ "pm_fault_decline", 1250, PROVIDER_DECLINED, PROVIDER_DECLINED, "card_declined" },
		{ "pm_card_visa", 90101, PROVIDER_DECLINED, PROVIDER_DECLINED, "card_declined" },
		{ "pm_fault_delay", 1250, PROVIDER_UNKNOWN, PROVIDER_ABSENT, "provider.no_answer" },
		{ "pm_fault_late", 1250, PROVIDER_UNKNOWN, PROVIDER_OK, "provider.no_answer" },
		{ "pm_fault_drop_before", 1250, PROVIDER_UNKNOWN, PROVIDER_ABSENT,
		  "provider.no_answer" },
		{ "pm_fault_drop_after", 1250, PROVIDER_UNKNOWN, PROVIDER_OK,
		  "provider.no_answer" },
		{ "pm_card_visa", 90201, PROVIDER_UNKNOWN, PROVIDER_OK, "provider.no_answer" },
		{ "pm_fault_error_before", 1250, PROVIDER_UNKNOWN, PROVIDER_ABSENT,
		  "provider.error" },
		{ "pm_fault_error_after", 1250, PROVIDER_UNKNOWN, PROVIDER_OK, "provider.error" },
		{ "pm_fault_garbage", 1250, PROVIDER_UNKNOWN, PROVIDER_OK, "provider.answer" },
		{ "pm_fault_busy", 1250, PROVIDER_REFUSED, PROVIDER_ABSENT, "provider.busy" },
		{ "pm_fault_pending", 1250, PROVIDER_PENDING, PROVIDER_PENDING, "" },
		{ "pm_card_authenticationRequired", 1250, PROVIDER_ACTION, PROVIDER_ACTION, "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *key = str_z(t->a, str_fmt(t->a, "attempt-%zu", i));
		ProviderAnswer answer = authorize_with(t, key, cases[i].token, cases[i].amount);

		CHECK_INT(answer.result, cases[i].result);
		CHECK_STR(answer.code, str_of(cases[i].code));
		CHECK_INT(get_key(t, key).result, cases[i].later);
	}
}

TEST(an_answer_that_never_comes_is_unknown_and_asking_tells)
{
	with_pair(a, what_is_said);
}

static void one_key(Pair *t)
{
	ProviderAnswer first = authorize_with(t, "attempt-1", "pm_card_visa", 500), second;

	CHECK_INT(first.state, PROVIDER_AUTHORIZED);
	CHECK_INT(first.authorized, 500);
	second = authorize_with(t, "attempt-1", "pm_card_visa", 500);
	CHECK_STR(second.reference, first.reference);
	CHECK_INT(fault_book_entries(t->book), 1);
	CHECK_INT(authorize_with(t, "attempt-1", "pm_card_visa", 501).result, PROVIDER_REFUSED);
}

TEST(a_key_charges_once)
{
	with_pair(a, one_key);
}

static ProviderAnswer do_to(Pair *t, ProviderDo *act, const char *key, Str reference,
                            int64_t amount)
{
	ProviderAsk ask = { .key = str_of(key), .reference = reference, .amount = amount };
	ProviderAnswer answer;

	CHECK_OK(act(t->p, t->a, &ask, &answer));
	return answer;
}

static void a_life(Pair *t)
{
	Str id = authorize_with(t, "attempt-1", "pm_card_visa", 1000).reference;
	ProviderAnswer answer = do_to(t, provider_capture, "capture-1", id, 800);
	ProviderAsk by_key = { .key = S("refund-1"), .reference = id, .of_refund = true };

	CHECK_INT(answer.result, PROVIDER_OK);
	CHECK_INT(answer.state, PROVIDER_CAPTURED);
	CHECK_INT(answer.captured, 800);
	CHECK_INT(answer.fee, 37);
	CHECK_INT(do_to(t, provider_capture, "capture-1", id, 800).result, PROVIDER_OK);
	CHECK_INT(do_to(t, provider_capture, "capture-2", id, 100).result, PROVIDER_REFUSED);
	CHECK_INT(do_to(t, provider_cancel, "void-1", id, 0).result, PROVIDER_REFUSED);
	answer = do_to(t, provider_refund, "refund-1", id, 300);
	CHECK_INT(answer.refunded, 300);
	CHECK_STR(do_to(t, provider_refund, "refund-1", id, 300).refund, answer.refund);
	CHECK_INT(do_to(t, provider_refund, "refund-2", id, 501).result, PROVIDER_REFUSED);
	CHECK_STR(do_to(t, provider_refund, "refund-2", id, 501).code, S("amount"));
	CHECK_OK(provider_get(t->p, t->a, &by_key, &answer));
	CHECK_INT(answer.result, PROVIDER_OK);
	by_key.key = S("refund-9");
	CHECK_OK(provider_get(t->p, t->a, &by_key, &answer));
	CHECK_INT(answer.result, PROVIDER_ABSENT);
}

TEST(capture_and_refund_stay_within_what_was_authorized)
{
	with_pair(a, a_life);
}

static void sealed(Pair *t)
{
	ProviderAnswer answer = do_to(t, provider_cancel, "attempt-late", (Str){ 0 }, 0);

	CHECK_INT(answer.result, PROVIDER_ABSENT);
	CHECK(answer.sealed);
	CHECK_INT(authorize_with(t, "attempt-late", "pm_card_visa", 500).result, PROVIDER_REFUSED);
	(void)authorize_with(t, "attempt-there", "pm_card_visa", 500);
	answer = do_to(t, provider_cancel, "attempt-there", (Str){ 0 }, 0);
	CHECK_INT(answer.result, PROVIDER_OK);
	CHECK_INT(answer.state, PROVIDER_VOIDED);
	CHECK(answer.sealed);
}

TEST(what_is_voided_by_its_key_never_comes)
{
	with_pair(a, sealed);
}

static void away(Pair *t)
{
	ProviderWish wish = { .currency = S("eur"), .amount = 500, .key = S("pi_1") };

	fault_server_close(t->server);
	t->server = NULL;
	CHECK(provider_healthy(t->p));
	for (int i = 0; i < 3; i++)
		CHECK_INT(authorize_with(t, "attempt-1", "pm_card_visa", 500).result,
		          PROVIDER_UNSENT);
	CHECK(!provider_healthy(t->p));
	CHECK(provider_choose(t->all, &wish, NULL, 0) == t->p); /* there is no other */
	CHECK_INT(get_key(t, "attempt-1").result, PROVIDER_UNKNOWN);
}

TEST(one_that_is_away_was_sent_nothing_and_is_left_alone_after_some_failures)
{
	with_pair(a, away);
}

static void wrong_key(Pair *t)
{
	ProviderAnswer answer;

	t->row.key = S("wrong");
	answer = authorize_with(t, "attempt-1", "pm_card_visa", 500);
	CHECK_INT(answer.result, PROVIDER_REFUSED);
	CHECK_STR(answer.code, S("provider.key"));
	CHECK_INT(fault_book_entries(t->book), 0);
}

TEST(a_wrong_key_is_no_decline)
{
	with_pair(a, wrong_key);
}
