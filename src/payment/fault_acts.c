/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fault provider does. Every act looks first whether its key has been here: then it tells how things are. It does not park
 * between that look and its entry into the book, so two requests of one key cannot both be the first. */
#include "base/arena.h"
#include "base/time.h"
#include "payment/fault_server_int.h"
#include "payment/provider_card.h"
#include "rt/fiber.h"

/* --- answers ------------------------------------------------------------------------------------------------------------- */

static Err *say_payment(FaultCall *c, const FaultPayment *p, const FaultRefund *r, bool sealed)
{
	const ProviderCard *card = p ? provider_card(p->token) : NULL;

	c->status = p && p->state == FAULT_DECLINED ? 402 : 200;
	buf_clear(&c->body);
	c->w = json_writer(&c->body);
	json_begin_object(&c->w);
	json_key(&c->w, S("payment"));
	if (p)
		fault_payment_put(&c->w, p);
	else
		json_add_null(&c->w);
	if (r) {
		json_key(&c->w, S("refund"));
		fault_refund_put(&c->w, r);
	}
	if (sealed)
		json_put_bool(&c->w, "sealed", true);
	if (p && p->state == FAULT_WAITS && card && card->action)
		json_put_str(&c->w, "action_url",
		             str_fmt(c->arena, "http://%.*s/act/%.*s",
		                     STR_ARG(c->x->request.authority), STR_ARG(p->id)));
	json_end(&c->w);
	return NULL;
}

static Err *no_payment(FaultCall *c)
{
	return fault_say(c, 404, "unknown", "there is no such payment");
}

static Err *say_conflict(FaultCall *c, Err *err)
{
	if (err->kind != ERR_CONFLICT)
		return err;
	return fault_say(c, 409, err->slug, str_z(c->arena, err->text));
}

static void tell(FaultCall *c, const FaultPayment *p, const FaultRefund *r, const char *type)
{
	fault_tell(c->s->conf.teller, p, r, type,
	           fault_script_draw(c->s->script, FAULT_ON_WEBHOOK));
}

/* --- authorize ------------------------------------------------------------------------------------------------------------ */

static const char *type_of(const FaultPayment *p)
{
	static const char *const types[] = {
		[FAULT_WAITS] = "payment.waits",       [FAULT_AUTHORIZED] = "payment.authorized",
		[FAULT_CAPTURED] = "payment.captured", [FAULT_VOIDED] = "payment.voided",
		[FAULT_DECLINED] = "payment.declined",
	};

	return types[p->state];
}

/* authorized, waiting, or declined with its code. */
static void decide(FaultCall *c, FaultPayment *p)
{
	const ProviderCard *card = provider_card(p->token);
	bool off_session = false;

	(void)json_to_bool(json_get(c->in, S("off_session")), &off_session);
	p->state = FAULT_AUTHORIZED;
	if (c->hit.fault == FAULT_DECLINE) {
		p->code = c->hit.code;
		p->decline_code = c->hit.decline_code;
	} else if (card && card->code) {
		p->code = str_of(card->code);
		p->decline_code = str_of(card->decline_code);
	} else if (card && card->action && off_session)
		p->code = S("authentication_required");
	else if ((card && card->action) || c->hit.fault == FAULT_PENDING)
		p->state = FAULT_WAITS;
	if (p->code.len)
		p->state = FAULT_DECLINED;
}

static Err *tell_again(FaultCall *c, const FaultPayment *p, const FaultPayment *asked)
{
	if (p->amount != asked->amount || !str_eq(p->currency, asked->currency) ||
	    !str_eq(p->token, asked->token))
		return fault_say(c, 409, "key_reused", "this key came with another payment before");
	return say_payment(c, p, NULL, false);
}

Err *fault_authorize(FaultCall *c)
{
	FaultBook *book = c->s->conf.book;
	FaultPayment in = { .key = fault_text(c, "key"),
		            .amount = fault_number(c, "amount"),
		            .currency = fault_text(c, "currency"),
		            .token = fault_text(c, "token"),
		            .subject = fault_text(c, "subject"),
		            .order = fault_text(c, "order"),
		            .customer = fault_text(c, "customer") };
	FaultPayment *p = fault_book_of_key(book, in.key);

	(void)json_to_bool(json_get(c->in, S("capture")), &in.capture);
	if (!in.key.len || in.amount < 1 || in.currency.len != 3 || !in.token.len)
		return fault_say(c, 400, "invalid",
		                 "key, amount above 0, currency and token are needed");
	if (p)
		return tell_again(c, p, &in);
	if (fault_book_sealed(book, in.key))
		return fault_say(c, 409, "sealed", "this key was voided before it came");
	decide(c, &in);
	TRY(fault_book_authorize(book, &in, &p));
	if (c->hit.fault == FAULT_PENDING)
		fault_confirm_later(c->s, p, c->hit.us);
	tell(c, p, NULL, type_of(p));
	return say_payment(c, p, NULL, false);
}

/* --- what was pending ----------------------------------------------------------------------------------------------------- */

typedef struct Later {
	FaultServer *s;
	FaultPayment *payment;
	int64_t us;
} Later;

static Err *confirm(FaultServer *s, FaultPayment *p)
{
	TRY(fault_book_confirm(s->conf.book, p));
	TRY(fault_book_sync(s->conf.book));
	fault_tell(s->conf.teller, p, NULL, type_of(p),
	           fault_script_draw(s->script, FAULT_ON_WEBHOOK));
	return NULL;
}

static void later_main(void *arg)
{
	Later *later = arg;
	Err *err = fiber_sleep(later->us);

	if (!err && later->payment->state == FAULT_WAITS)
		err = confirm(later->s, later->payment);
	(void)err; /* the book says how it is */
}

void fault_confirm_later(FaultServer *s, FaultPayment *payment, int64_t us)
{
	Later *later = ARENA_NEW(s->lasting, Later);
	Err *err;

	*later = (Later){ s, payment, us };
	err = fiber_start(later_main, later, "fault-later");
	(void)err; /* it stays pending: that is a fault too */
}

static void confirm_left(void *arg, FaultPayment *p)
{
	const ProviderCard *card = provider_card(p->token);

	if (p->state == FAULT_WAITS && !(card && card->action))
		fault_confirm_later(arg, p, 0);
}

void fault_confirm_left(FaultServer *s)
{
	fault_book_each(s->conf.book, confirm_left, s);
}

/* --- capture, void, refund ------------------------------------------------------------------------------------------------ */

static FaultPayment *payment_of(const FaultCall *c)
{
	return fault_book_payment(c->s->conf.book, c->id);
}

Err *fault_capture(FaultCall *c)
{
	FaultPayment *p = payment_of(c);
	int64_t amount = fault_number(c, "amount");
	Err *err;

	if (!p)
		return no_payment(c);
	if (fault_book_act(c->s->conf.book, fault_text(c, "key")) == p)
		return say_payment(c, p, NULL, false);
	err = fault_book_capture(c->s->conf.book, p, fault_text(c, "key"),
	                         amount ? amount : p->amount);
	if (err)
		return say_conflict(c, err);
	tell(c, p, NULL, "payment.captured");
	return say_payment(c, p, NULL, false);
}

Err *fault_void(FaultCall *c)
{
	FaultPayment *p = payment_of(c);
	Err *err;

	if (!p)
		return no_payment(c);
	if (p->state == FAULT_VOIDED || p->state == FAULT_DECLINED)
		return say_payment(c, p, NULL, false);
	err = fault_book_void(c->s->conf.book, p, fault_text(c, "key"));
	if (err)
		return say_conflict(c, err);
	tell(c, p, NULL, "payment.voided");
	return say_payment(c, p, NULL, false);
}

Err *fault_void_key(FaultCall *c)
{
	Str of = fault_text(c, "of");
	FaultPayment *p = fault_book_of_key(c->s->conf.book, of);

	if (!of.len)
		return fault_say(c, 400, "invalid", "`of` is needed");
	if (p) {
		c->id = p->id;
		return fault_void(c);
	}
	TRY(fault_book_seal(c->s->conf.book, of));
	return say_payment(c, NULL, NULL, true);
}

Err *fault_refund(FaultCall *c)
{
	FaultPayment *p = payment_of(c);
	Str key = fault_text(c, "key");
	FaultRefund *r = fault_book_refund(c->s->conf.book, key);
	Err *err;

	if (!p || !key.len)
		return no_payment(c);
	if (r && (r->payment != p || r->amount != fault_number(c, "amount")))
		return fault_say(c, 409, "key_reused", "this key came with another refund before");
	if (r)
		return say_payment(c, p, r, false);
	err = fault_book_give_back(c->s->conf.book, p, key, fault_number(c, "amount"), &r);
	if (err)
		return say_conflict(c, err);
	tell(c, p, r, "payment.refunded");
	return say_payment(c, p, r, false);
}

/* --- looking -------------------------------------------------------------------------------------------------------------- */

static Err *say_found(FaultCall *c, const FaultPayment *p, const FaultRefund *r)
{
	Err *err = p ? say_payment(c, p, r, false) : no_payment(c);

	if (p)
		c->status = 200;
	return err;
}

Err *fault_payment_get(FaultCall *c)
{
	return say_found(c, payment_of(c), NULL);
}

Err *fault_payment_find(FaultCall *c)
{
	return say_found(c, fault_book_of_key(c->s->conf.book, fault_parameter(c, "key")), NULL);
}

static Err *say_refund(FaultCall *c, Str key)
{
	const FaultRefund *r = fault_book_refund(c->s->conf.book, key);

	return say_found(c, r ? r->payment : NULL, r);
}

Err *fault_refund_get(FaultCall *c)
{
	return say_refund(c, c->id);
}

Err *fault_refund_find(FaultCall *c)
{
	return say_refund(c, fault_parameter(c, "key"));
}

Err *fault_act_get(FaultCall *c)
{
	FaultPayment *p = payment_of(c);

	if (!p)
		return no_payment(c);
	if (p->state != FAULT_WAITS)
		return say_payment(c, p, NULL, false);
	if (str_eq(c->query, S("no"))) {
		TRY(fault_book_void(c->s->conf.book, p, S("")));
		TRY(fault_book_sync(c->s->conf.book));
		tell(c, p, NULL, "payment.voided");
	} else
		TRY(confirm(c->s, p));
	return say_payment(c, p, NULL, false);
}
