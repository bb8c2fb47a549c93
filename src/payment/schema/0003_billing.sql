-- Billing (docs/guide/billing.md): what is sold, to whom again and again, and what is asked for it. What must hold is said here too: a period
-- of an item is invoiced once, an invoice is the sum of its lines, nothing is paid beyond what is due.

create table products (
	id :uuid primary key,
	active :bool not null,
	name :text not null,
	description :text not null,
	unit_label :text not null,
	price_id :uuid,
	metadata :json not null,
	created_at :time not null,
	updated_at :time not null
) :strict;

-- every: 'day', 'week', 'month', 'year'; empty: once.
create table prices (
	id :uuid primary key,
	product_id :uuid not null references products (id),
	active :bool not null,
	currency :text not null,
	amount :int not null check (amount >= 0),
	every :text not null check (every in ('', 'day', 'week', 'month', 'year')),
	every_count :int not null check (every_count between 1 and 1095),
	nickname :text not null,
	lookup_key :text unique,
	metadata :json not null,
	created_at :time not null
) :strict;
create index prices_by_product on prices (product_id);

-- Clocks of tests: customers on one live at its time.
create table test_clocks (
	id :uuid primary key,
	name :text not null,
	status :text not null check (status in ('ready', 'advancing', 'internal_failure')),
	frozen_at :time not null,
	target_at :time,
	created_at :time not null
) :strict;

-- What billing knows of a customer. balance: below zero we owe it.
create table billing_customers (
	customer_id :uuid primary key references customers (id),
	clock_id :uuid references test_clocks (id),
	balance :int not null,
	currency :text not null
) :strict;
create index billing_customers_by_clock on billing_customers (clock_id) where clock_id is not null;

-- Periods begin `anchor_at` on the clocks of `zone`. due_at: when something is to be done next.
create table subscriptions (
	id :uuid primary key,
	customer_id :uuid not null references customers (id),
	clock_id :uuid references test_clocks (id),
	status :text not null check (status in ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'canceled', 'paused')),
	currency :text not null,
	zone :text not null,
	every :text not null check (every in ('day', 'week', 'month', 'year')),
	every_count :int not null,
	anchor_at :time not null,
	period_start :time not null,
	period_end :time not null,
	trial_start :time,
	trial_end :time,
	cancel_at :time,
	cancel_at_end :bool not null,
	canceled_at :time,
	ended_at :time,
	method_id :uuid,
	collection :text not null check (collection in ('charge_automatically', 'send_invoice')),
	days_until_due :int not null,
	invoice_id :uuid,
	description :text not null,
	metadata :json not null,
	version :int not null,
	started_at :time not null,
	due_at :time,
	created_at :time not null,
	check (period_start < period_end),
	check ((ended_at is not null) = (status in ('canceled', 'incomplete_expired'))),
	check (ended_at is null or due_at is null)
) :strict;
create index subscriptions_by_customer on subscriptions (customer_id);
create index subscriptions_due on subscriptions (due_at) where due_at is not null and clock_id is null;
create index subscriptions_of_clock on subscriptions (clock_id) where clock_id is not null;

create table subscription_items (
	id :uuid primary key,
	subscription_id :uuid not null references subscriptions (id),
	price_id :uuid not null references prices (id),
	quantity :int not null check (quantity >= 0),
	metadata :json not null,
	created_at :time not null,
	deleted_at :time
) :strict;
create index subscription_items_of on subscription_items (subscription_id);

-- number: given when it is finalized. starting_balance: of the customer, what of it was used or added is the difference to the ending one.
-- work_at: when it is to be finalized, charged, or looked after.
create table invoices (
	id :uuid primary key,
	customer_id :uuid not null references customers (id),
	subscription_id :uuid references subscriptions (id),
	clock_id :uuid references test_clocks (id),
	status :text not null check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
	number :text unique,
	currency :text not null,
	reason :text not null,
	collection :text not null check (collection in ('charge_automatically', 'send_invoice')),
	total :int not null,
	due :int not null check (due >= 0),
	paid :int not null,
	starting_balance :int not null,
	ending_balance :int,
	outside :bool not null,
	attempts :int not null,
	advance :bool not null,
	method_id :uuid,
	intent_id :uuid,
	period_start :time not null,
	period_end :time not null,
	due_at :time,
	work_at :time,
	finalized_at :time,
	paid_at :time,
	voided_at :time,
	uncollectible_at :time,
	description :text not null,
	metadata :json not null,
	version :int not null,
	made_at :time not null,
	created_at :time not null,
	check (paid >= 0 and paid <= due),
	check ((status = 'draft') = (number is null)),
	check (status <> 'paid' or paid = due),
	check (status in ('draft', 'open') or work_at is null)
) :strict;
create index invoices_by_customer on invoices (customer_id);
create index invoices_by_subscription on invoices (subscription_id) where subscription_id is not null;
create index invoices_due on invoices (work_at) where work_at is not null and clock_id is null;
create index invoices_of_clock on invoices (clock_id) where clock_id is not null;
create index invoices_by_intent on invoices (intent_id) where intent_id is not null;

-- What waits for the customer's next invoice.
create table invoice_items (
	id :uuid primary key,
	customer_id :uuid not null references customers (id),
	subscription_id :uuid references subscriptions (id),
	item_id :uuid references subscription_items (id),
	invoice_id :uuid references invoices (id),
	price_id :uuid references prices (id),
	currency :text not null,
	quantity :int not null,
	amount :int not null,
	proration :bool not null,
	period_start :time not null,
	period_end :time not null,
	description :text not null,
	metadata :json not null,
	made_at :time not null,
	created_at :time not null
) :strict;
create index invoice_items_waiting on invoice_items (customer_id) where invoice_id is null;
create index invoice_items_of on invoice_items (invoice_id) where invoice_id is not null;

-- kind: 'period' is an item's in advance, 'item' was one of invoice_items. A period of an item is on one invoice, for ever.
create table invoice_lines (
	id :uuid primary key,
	invoice_id :uuid not null references invoices (id),
	place :int not null,
	kind :text not null check (kind in ('period', 'item')),
	item_id :uuid references subscription_items (id),
	invoice_item_id :uuid references invoice_items (id),
	price_id :uuid references prices (id),
	quantity :int not null,
	amount :int not null,
	currency :text not null,
	proration :bool not null,
	period_start :time not null,
	period_end :time not null,
	description :text not null,
	unique (invoice_id, place),
	unique (invoice_item_id),
	check ((kind = 'item') = (invoice_item_id is not null)),
	check (kind <> 'period' or item_id is not null)
) :strict;
create unique index invoice_lines_once on invoice_lines (item_id, period_start, kind) where kind = 'period';
