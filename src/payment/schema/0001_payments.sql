-- Payments (docs/guide/payments.md). Money is a count of the currency's smallest unit. What must hold is said here too, not only in the
-- program: nothing is captured beyond what was asked for, nothing refunded beyond what was captured, and of one intent at most one
-- question to a provider is open at a time.

create table customers (
	id :uuid primary key,
	email :text not null,
	name :text not null,
	description :text not null,
	phone :text not null,
	metadata :json not null,
	zone :text not null,
	method_id :uuid,
	invoice_prefix :text not null,
	next_invoice :int not null,
	version :int not null,
	created_at :time not null,
	deleted_at :time
) :strict;
create index customers_by_email on customers (email) where email <> '';

-- Of a card only what may be shown: the number is the provider's, we hold its token.
create table payment_methods (
	id :uuid primary key,
	customer_id :uuid references customers (id),
	type :text not null,
	provider :text not null,
	token :text not null check (token <> ''),
	brand :text not null,
	last4 :text not null,
	exp_month :int not null,
	exp_year :int not null,
	fingerprint :text not null,
	billing :json not null,
	metadata :json not null,
	created_at :time not null
) :strict;
create index payment_methods_by_customer on payment_methods (customer_id) where customer_id is not null;

-- unique_key: of who makes one in this process (a saga, an invoice): the same key is the same intent.
create table intents (
	id :uuid primary key,
	status :text not null check (status in ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing',
		'requires_capture', 'succeeded', 'canceled')),
	amount :int not null check (amount > 0),
	currency :text not null,
	received :int not null default 0,
	manual :bool not null,
	customer_id :uuid references customers (id),
	method_id :uuid references payment_methods (id),
	charge_id :uuid,
	invoice_id :uuid,
	unique_key :text unique,
	secret :text not null,
	description :text not null,
	statement :text not null,
	email :text not null,
	metadata :json not null,
	error :json,
	attempts :int not null default 0,
	created_at :time not null,
	canceled_at :time,
	cancel_reason :text not null default '',
	action_url :text not null default '',
	check (received >= 0 and received <= amount),
	check ((status = 'succeeded') = (received > 0)),
	check ((status = 'canceled') = (canceled_at is not null)),
	check (status not in ('requires_capture', 'succeeded') or charge_id is not null)
) :strict;
create index intents_by_customer on intents (customer_id) where customer_id is not null;
create index intents_by_invoice on intents (invoice_id) where invoice_id is not null;

-- A question to a provider: the row is there before a byte is sent. id is the provider's idempotency key. A time-out is 'unknown' until the
-- provider was asked: check_at says when.
create table attempts (
	id :uuid primary key,
	intent_id :uuid not null references intents (id),
	number :int not null,
	op :text not null check (op in ('authorize', 'capture', 'void', 'refund')),
	state :text not null check (state in ('created', 'sent', 'unknown', 'authorized', 'captured', 'voided', 'refunded', 'failed')),
	provider :text not null,
	amount :int not null check (amount > 0),
	currency :text not null,
	capture :bool not null,
	refund_id :uuid,
	reference :text not null default '',
	code :text not null default '',
	message :text not null default '',
	traceparent :text not null,
	checks :int not null default 0,
	created_at :time not null,
	sent_at :time,
	ended_at :time,
	check_at :time,
	unique (intent_id, number),
	check ((check_at is not null) = (state in ('created', 'sent', 'unknown'))),
	check ((refund_id is not null) = (op = 'refund'))
) :strict;
create unique index attempts_open on attempts (intent_id) where state in ('created', 'sent', 'unknown');
create index attempts_due on attempts (check_at) where check_at is not null;
create index attempts_by_reference on attempts (provider, reference) where reference <> '';

create table charges (
	id :uuid primary key,
	intent_id :uuid not null references intents (id),
	attempt_id :uuid not null unique references attempts (id),
	status :text not null check (status in ('succeeded', 'pending', 'failed')),
	amount :int not null check (amount > 0),
	captured :int not null default 0,
	refunded :int not null default 0,
	disputed :int not null default 0,
	voided :bool not null default false,
	currency :text not null,
	customer_id :uuid,
	method_id :uuid,
	provider :text not null,
	reference :text not null,
	failure_code :text not null default '',
	failure_message :text not null default '',
	created_at :time not null,
	check (captured >= 0 and captured <= amount),
	check (refunded >= 0 and disputed >= 0 and refunded + disputed <= captured)
) :strict;
create index charges_by_intent on charges (intent_id);
create index charges_by_customer on charges (customer_id) where customer_id is not null;

-- charges.refunded counts those that are pending and those that succeeded.
create table refunds (
	id :uuid primary key,
	charge_id :uuid not null references charges (id),
	intent_id :uuid not null references intents (id),
	amount :int not null check (amount > 0),
	currency :text not null,
	status :text not null check (status in ('pending', 'succeeded', 'failed', 'canceled')),
	reason :text not null,
	failure :text not null default '',
	unique_key :text unique,
	metadata :json not null,
	created_at :time not null
) :strict;
create index refunds_by_charge on refunds (charge_id);
create index refunds_by_intent on refunds (intent_id);

-- What moved the balance: source is a charge or a refund, each once.
create table balance_transactions (
	id :uuid primary key,
	type :text not null check (type in ('charge', 'refund', 'refund_failure', 'adjustment')),
	source_id :uuid not null,
	amount :int not null,
	fee :int not null,
	currency :text not null,
	description :text not null,
	created_at :time not null,
	available_at :time not null,
	unique (source_id, type)
) :strict;

-- What has happened, as a Stripe event whose object is as it was then.
create table payment_events (
	id :uuid primary key,
	type :text not null,
	object_id :text not null,
	object :json not null,
	previous :json,
	request :text not null,
	request_key :text not null,
	created_at :time not null
) :strict;

-- Keys of programs: of the text only the SHA-256. scopes: of a restricted one.
create table payment_keys (
	id :uuid primary key,
	kind :text not null check (kind in ('secret', 'publishable', 'restricted')),
	name :text not null,
	hash :bytes not null unique,
	hint :text not null,
	scopes :text not null,
	created_at :time not null,
	until :time,
	revoked_at :time
) :strict;

-- Requests that may come again (once.h). running: its first transaction is committed, its last not yet; object_id is what it made.
create table payment_requests (
	who :text not null,
	key :text not null,
	digest :bytes not null,
	running :bool not null,
	locked_until :time not null,
	object_id :uuid,
	status :int not null,
	body :bytes not null,
	created_at :time not null,
	primary key (who, key)
) :strict;
create index payment_requests_by_age on payment_requests (created_at);
