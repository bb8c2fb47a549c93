-- Products, prices, subscriptions, invoices and the clocks of tests: see billing_int.h for who uses them.

--- row product: id uuid, active bool, name text, description text, unit_label text, price_id uuid?, metadata json, created_at time, updated_at time
--- row price: id uuid, product_id uuid, active bool, currency text, amount int, every text, every_count int, nickname text, lookup_key text?, metadata json, created_at time
--- row clock: id uuid, name text, status text, frozen_at time, target_at time?, created_at time
--- row subscription: id uuid, customer_id uuid, clock_id uuid?, status text, currency text, zone text, every text, every_count int, anchor_at time, period_start time, period_end time, trial_start time?, trial_end time?, cancel_at time?, cancel_at_end bool, canceled_at time?, ended_at time?, method_id uuid?, collection text, days_until_due int, invoice_id uuid?, description text, metadata json, version int, started_at time, due_at time?, created_at time
--- row subscription_item: id uuid, subscription_id uuid, price_id uuid, quantity int, metadata json, created_at time, deleted_at time?
--- row invoice: id uuid, customer_id uuid, subscription_id uuid?, clock_id uuid?, status text, number text?, currency text, reason text, collection text, total int, due int, paid int, starting_balance int, ending_balance int?, outside bool, attempts int, advance bool, method_id uuid?, intent_id uuid?, period_start time, period_end time, due_at time?, work_at time?, finalized_at time?, paid_at time?, voided_at time?, uncollectible_at time?, description text, metadata json, version int, made_at time, created_at time
--- row invoice_item: id uuid, customer_id uuid, subscription_id uuid?, item_id uuid?, invoice_id uuid?, price_id uuid?, currency text, quantity int, amount int, proration bool, period_start time, period_end time, description text, metadata json, made_at time, created_at time
--- row invoice_line: id uuid, invoice_id uuid, place int, kind text, item_id uuid?, invoice_item_id uuid?, price_id uuid?, quantity int, amount int, currency text, proration bool, period_start time, period_end time, description text

--- exec product_add(product)
insert into products (id, active, name, description, unit_label, price_id, metadata, created_at, updated_at)
values (:id, :active, :name, :description, :unit_label, :price_id, :metadata, :created_at, :updated_at)

--- one product_by_id(id uuid) -> product
select id, active, name, description, unit_label, price_id, metadata, created_at, updated_at from products where id = :id

--- exec price_add(price)
insert into prices (id, product_id, active, currency, amount, every, every_count, nickname, lookup_key, metadata, created_at)
values (:id, :product_id, :active, :currency, :amount, :every, :every_count, :nickname, :lookup_key, :metadata, :created_at)

--- one price_by_id(id uuid) -> price
select id, product_id, active, currency, amount, every, every_count, nickname, lookup_key, metadata, created_at from prices where id = :id

--- exec clock_add(clock)
insert into test_clocks (id, name, status, frozen_at, target_at, created_at)
values (:id, :name, :status, :frozen_at, :target_at, :created_at)

--- one clock_by_id(id uuid) -> clock
select id, name, status, frozen_at, target_at, created_at from test_clocks where id = :id

--- exec subscription_add(subscription)
insert into subscriptions (id, customer_id, clock_id, status, currency, zone, every, every_count, anchor_at, period_start, period_end, trial_start, trial_end, cancel_at, cancel_at_end, canceled_at, ended_at, method_id, collection, days_until_due, invoice_id, description, metadata, version, started_at, due_at, created_at)
values (:id, :customer_id, :clock_id, :status, :currency, :zone, :every, :every_count, :anchor_at, :period_start, :period_end, :trial_start, :trial_end, :cancel_at, :cancel_at_end, :canceled_at, :ended_at, :method_id, :collection, :days_until_due, :invoice_id, :description, :metadata, :version, :started_at, :due_at, :created_at)

--- one subscription_by_id(id uuid) -> subscription
select id, customer_id, clock_id, status, currency, zone, every, every_count, anchor_at, period_start, period_end, trial_start, trial_end, cancel_at, cancel_at_end, canceled_at, ended_at, method_id, collection, days_until_due, invoice_id, description, metadata, version, started_at, due_at, created_at from subscriptions where id = :id

--- exec subscription_item_add(subscription_item)
insert into subscription_items (id, subscription_id, price_id, quantity, metadata, created_at, deleted_at)
values (:id, :subscription_id, :price_id, :quantity, :metadata, :created_at, :deleted_at)

--- exec invoice_add(invoice)
insert into invoices (id, customer_id, subscription_id, clock_id, status, number, currency, reason, collection, total, due, paid, starting_balance, ending_balance, outside, attempts, advance, method_id, intent_id, period_start, period_end, due_at, work_at, finalized_at, paid_at, voided_at, uncollectible_at, description, metadata, version, made_at, created_at)
values (:id, :customer_id, :subscription_id, :clock_id, :status, :number, :currency, :reason, :collection, :total, :due, :paid, :starting_balance, :ending_balance, :outside, :attempts, :advance, :method_id, :intent_id, :period_start, :period_end, :due_at, :work_at, :finalized_at, :paid_at, :voided_at, :uncollectible_at, :description, :metadata, :version, :made_at, :created_at)

--- one invoice_by_id(id uuid) -> invoice
select id, customer_id, subscription_id, clock_id, status, number, currency, reason, collection, total, due, paid, starting_balance, ending_balance, outside, attempts, advance, method_id, intent_id, period_start, period_end, due_at, work_at, finalized_at, paid_at, voided_at, uncollectible_at, description, metadata, version, made_at, created_at from invoices where id = :id

--- exec invoice_item_add(invoice_item)
insert into invoice_items (id, customer_id, subscription_id, item_id, invoice_id, price_id, currency, quantity, amount, proration, period_start, period_end, description, metadata, made_at, created_at)
values (:id, :customer_id, :subscription_id, :item_id, :invoice_id, :price_id, :currency, :quantity, :amount, :proration, :period_start, :period_end, :description, :metadata, :made_at, :created_at)

--- one invoice_item_by_id(id uuid) -> invoice_item
select id, customer_id, subscription_id, item_id, invoice_id, price_id, currency, quantity, amount, proration, period_start, period_end, description, metadata, made_at, created_at from invoice_items where id = :id

--- exec invoice_line_add(invoice_line)
insert into invoice_lines (id, invoice_id, place, kind, item_id, invoice_item_id, price_id, quantity, amount, currency, proration, period_start, period_end, description)
values (:id, :invoice_id, :place, :kind, :item_id, :invoice_item_id, :price_id, :quantity, :amount, :currency, :proration, :period_start, :period_end, :description)

--- exec product_store(id uuid, active bool, name text, description text, unit_label text, price_id uuid?, metadata json, updated_at time)
update products set active = :active, name = :name, description = :description, unit_label = :unit_label, price_id = :price_id, metadata = :metadata, updated_at = :updated_at
where id = :id

--- exec price_store(id uuid, active bool, nickname text, lookup_key text?, metadata json)
update prices set active = :active, nickname = :nickname, lookup_key = :lookup_key, metadata = :metadata
where id = :id

--- exec subscription_item_store(id uuid, price_id uuid, quantity int, metadata json, deleted_at time?)
update subscription_items set price_id = :price_id, quantity = :quantity, metadata = :metadata, deleted_at = :deleted_at
where id = :id

--- many products_page(active bool?, after uuid, before uuid, most int) -> product
select id, active, name, description, unit_label, price_id, metadata, created_at, updated_at from products
where id < :after and id > :before and (:active is null or active = :active) order by id desc limit :most

--- many products_page_back(active bool?, after uuid, before uuid, most int) -> product
select id, active, name, description, unit_label, price_id, metadata, created_at, updated_at from products
where id < :after and id > :before and (:active is null or active = :active) order by id limit :most

--- many prices_page(product_id uuid?, active bool?, lookup_key text?, after uuid, before uuid, most int) -> price
select id, product_id, active, currency, amount, every, every_count, nickname, lookup_key, metadata, created_at from prices
where id < :after and id > :before and (:product_id is null or product_id = :product_id) and (:active is null or active = :active)
	and (:lookup_key is null or lookup_key = :lookup_key) order by id desc limit :most

--- many prices_page_back(product_id uuid?, active bool?, lookup_key text?, after uuid, before uuid, most int) -> price
select id, product_id, active, currency, amount, every, every_count, nickname, lookup_key, metadata, created_at from prices
where id < :after and id > :before and (:product_id is null or product_id = :product_id) and (:active is null or active = :active)
	and (:lookup_key is null or lookup_key = :lookup_key) order by id limit :most

--- many subscriptions_page(customer_id uuid?, price_id uuid?, status text, after uuid, before uuid, most int) -> subscription
select id, customer_id, clock_id, status, currency, zone, every, every_count, anchor_at, period_start, period_end, trial_start, trial_end, cancel_at, cancel_at_end, canceled_at, ended_at, method_id, collection, days_until_due, invoice_id, description, metadata, version, started_at, due_at, created_at from subscriptions
where id < :after and id > :before and (:customer_id is null or customer_id = :customer_id)
	and (:status = 'all' or status = :status or (:status = '' and status not in ('canceled', 'incomplete_expired')))
	and (:price_id is null or exists (select 1 from subscription_items i where i.subscription_id = subscriptions.id and i.price_id = :price_id
		and i.deleted_at is null)) order by id desc limit :most

--- many subscriptions_page_back(customer_id uuid?, price_id uuid?, status text, after uuid, before uuid, most int) -> subscription
select id, customer_id, clock_id, status, currency, zone, every, every_count, anchor_at, period_start, period_end, trial_start, trial_end, cancel_at, cancel_at_end, canceled_at, ended_at, method_id, collection, days_until_due, invoice_id, description, metadata, version, started_at, due_at, created_at from subscriptions
where id < :after and id > :before and (:customer_id is null or customer_id = :customer_id)
	and (:status = 'all' or status = :status or (:status = '' and status not in ('canceled', 'incomplete_expired')))
	and (:price_id is null or exists (select 1 from subscription_items i where i.subscription_id = subscriptions.id and i.price_id = :price_id
		and i.deleted_at is null)) order by id limit :most

--- many invoices_page(customer_id uuid?, subscription_id uuid?, status text, after uuid, before uuid, most int) -> invoice
select id, customer_id, subscription_id, clock_id, status, number, currency, reason, collection, total, due, paid, starting_balance, ending_balance, outside, attempts, advance, method_id, intent_id, period_start, period_end, due_at, work_at, finalized_at, paid_at, voided_at, uncollectible_at, description, metadata, version, made_at, created_at from invoices
where id < :after and id > :before and (:customer_id is null or customer_id = :customer_id)
	and (:subscription_id is null or subscription_id = :subscription_id) and (:status = '' or status = :status) order by id desc limit :most

--- many invoices_page_back(customer_id uuid?, subscription_id uuid?, status text, after uuid, before uuid, most int) -> invoice
select id, customer_id, subscription_id, clock_id, status, number, currency, reason, collection, total, due, paid, starting_balance, ending_balance, outside, attempts, advance, method_id, intent_id, period_start, period_end, due_at, work_at, finalized_at, paid_at, voided_at, uncollectible_at, description, metadata, version, made_at, created_at from invoices
where id < :after and id > :before and (:customer_id is null or customer_id = :customer_id)
	and (:subscription_id is null or subscription_id = :subscription_id) and (:status = '' or status = :status) order by id limit :most

--- many invoice_items_page(customer_id uuid?, invoice_id uuid?, after uuid, before uuid, most int) -> invoice_item
select id, customer_id, subscription_id, item_id, invoice_id, price_id, currency, quantity, amount, proration, period_start, period_end, description, metadata, made_at, created_at from invoice_items
where id < :after and id > :before and (:customer_id is null or customer_id = :customer_id) and (:invoice_id is null or invoice_id = :invoice_id) order by id desc limit :most

--- many invoice_items_page_back(customer_id uuid?, invoice_id uuid?, after uuid, before uuid, most int) -> invoice_item
select id, customer_id, subscription_id, item_id, invoice_id, price_id, currency, quantity, amount, proration, period_start, period_end, description, metadata, made_at, created_at from invoice_items
where id < :after and id > :before and (:customer_id is null or customer_id = :customer_id) and (:invoice_id is null or invoice_id = :invoice_id) order by id limit :most

--- many clocks_page(after uuid, before uuid, most int) -> clock
select id, name, status, frozen_at, target_at, created_at from test_clocks
where id < :after and id > :before order by id desc limit :most

--- many clocks_page_back(after uuid, before uuid, most int) -> clock
select id, name, status, frozen_at, target_at, created_at from test_clocks
where id < :after and id > :before order by id limit :most

--- exec subscription_store(id uuid, status text, every text, every_count int, anchor_at time, period_start time, period_end time, trial_start time?, trial_end time?, cancel_at time?, cancel_at_end bool, canceled_at time?, ended_at time?, method_id uuid?, collection text, days_until_due int, invoice_id uuid?, description text, metadata json, version int, due_at time?)
update subscriptions set status = :status, every = :every, every_count = :every_count, anchor_at = :anchor_at, period_start = :period_start, period_end = :period_end, trial_start = :trial_start, trial_end = :trial_end, cancel_at = :cancel_at, cancel_at_end = :cancel_at_end, canceled_at = :canceled_at, ended_at = :ended_at, method_id = :method_id, collection = :collection, days_until_due = :days_until_due, invoice_id = :invoice_id, description = :description, metadata = :metadata, version = :version, due_at = :due_at
where id = :id

--- exec invoice_store(id uuid, status text, number text?, collection text, total int, due int, paid int, starting_balance int, ending_balance int?, outside bool, attempts int, advance bool, method_id uuid?, intent_id uuid?, due_at time?, work_at time?, finalized_at time?, paid_at time?, voided_at time?, uncollectible_at time?, description text, metadata json, version int)
update invoices set status = :status, number = :number, collection = :collection, total = :total, due = :due, paid = :paid, starting_balance = :starting_balance, ending_balance = :ending_balance, outside = :outside, attempts = :attempts, advance = :advance, method_id = :method_id, intent_id = :intent_id, due_at = :due_at, work_at = :work_at, finalized_at = :finalized_at, paid_at = :paid_at, voided_at = :voided_at, uncollectible_at = :uncollectible_at, description = :description, metadata = :metadata, version = :version
where id = :id

--- many subscription_items_of(subscription_id uuid) -> subscription_item
select id, subscription_id, price_id, quantity, metadata, created_at, deleted_at from subscription_items where subscription_id = :subscription_id and deleted_at is null order by id

--- many subscription_prices(subscription_id uuid) -> price
select p.id, p.product_id, p.active, p.currency, p.amount, p.every, p.every_count, p.nickname, p.lookup_key, p.metadata, p.created_at from prices p
where p.id in (select price_id from subscription_items where subscription_id = :subscription_id and deleted_at is null)

--- many invoice_lines_of(invoice_id uuid) -> invoice_line
select id, invoice_id, place, kind, item_id, invoice_item_id, price_id, quantity, amount, currency, proration, period_start, period_end, description from invoice_lines where invoice_id = :invoice_id order by place

--- many invoice_prices(invoice_id uuid) -> price
select p.id, p.product_id, p.active, p.currency, p.amount, p.every, p.every_count, p.nickname, p.lookup_key, p.metadata, p.created_at from prices p where p.id in (select price_id from invoice_lines where invoice_id = :invoice_id)

--- one invoice_lines_sum(invoice_id uuid) -> (total int, lines int)
select coalesce(sum(amount), 0), count(*) from invoice_lines where invoice_id = :invoice_id

--- exec invoice_lines_drop(invoice_id uuid)
delete from invoice_lines where invoice_id = :invoice_id

--- exec invoice_drop(id uuid)
delete from invoices where id = :id and status = 'draft'

--- exec invoice_items_free(invoice_id uuid)
update invoice_items set invoice_id = null where invoice_id = :invoice_id

--- many invoice_items_waiting(customer_id uuid, subscription_id uuid?, currency text) -> invoice_item
select id, customer_id, subscription_id, item_id, invoice_id, price_id, currency, quantity, amount, proration, period_start, period_end, description, metadata, made_at, created_at from invoice_items
where customer_id = :customer_id and invoice_id is null and currency = :currency
	and (subscription_id is null or subscription_id = :subscription_id or :subscription_id is null) order by id

--- exec invoice_item_onto(id uuid, invoice_id uuid)
update invoice_items set invoice_id = :invoice_id where id = :id and invoice_id is null

--- exec invoice_item_drop(id uuid)
delete from invoice_items where id = :id and invoice_id is null

--- exec product_drop(id uuid)
delete from products where id = :id and not exists (select 1 from prices where product_id = :id)

-- What belongs to a customer is changed by one at a time: who holds this row.
--- exec billing_customer_add(customer_id uuid)
insert into billing_customers (customer_id, balance, currency) values (:customer_id, 0, '') on conflict do nothing

--- one billing_customer_hold(customer_id uuid) -> (clock_id uuid?, balance int, currency text, zone text, method_id uuid?, deleted bool)
--- sqlite
select b.clock_id, b.balance, b.currency, c.zone, c.method_id, c.deleted_at is not null
from billing_customers b join customers c on c.id = b.customer_id where b.customer_id = :customer_id
--- postgres
select b.clock_id, b.balance, b.currency, c.zone, c.method_id, c.deleted_at is not null
from billing_customers b join customers c on c.id = b.customer_id where b.customer_id = :customer_id for update of b

--- exec billing_customer_balance(customer_id uuid, balance int)
update billing_customers set balance = :balance where customer_id = :customer_id

--- exec billing_customer_currency(customer_id uuid, currency text)
update billing_customers set currency = :currency where customer_id = :customer_id

--- exec billing_customer_clock(customer_id uuid, clock_id uuid?)
update billing_customers set clock_id = :clock_id where customer_id = :customer_id

--- exec clock_move(id uuid, status text, frozen_at time, target_at time?)
update test_clocks set status = :status, frozen_at = :frozen_at, target_at = :target_at where id = :id

-- What is to be done: of real time, and of one clock's.
--- many subscriptions_due(now time, most int) -> (id uuid)
select id from subscriptions where due_at <= :now and due_at is not null and clock_id is null order by due_at limit :most

--- many invoices_due(now time, most int) -> (id uuid)
select id from invoices where work_at <= :now and work_at is not null and clock_id is null order by work_at limit :most

--- one clock_next(clock_id uuid) -> (subscription_id uuid?, subscription_at time?, invoice_id uuid?, invoice_at time?)
select (select id from subscriptions where clock_id = :clock_id and due_at is not null order by due_at, id limit 1),
	(select min(due_at) from subscriptions where clock_id = :clock_id and due_at is not null),
	(select id from invoices where clock_id = :clock_id and work_at is not null order by work_at, id limit 1),
	(select min(work_at) from invoices where clock_id = :clock_id and work_at is not null)

--- many subscription_invoices_open(subscription_id uuid) -> invoice
select id, customer_id, subscription_id, clock_id, status, number, currency, reason, collection, total, due, paid, starting_balance, ending_balance, outside, attempts, advance, method_id, intent_id, period_start, period_end, due_at, work_at, finalized_at, paid_at, voided_at, uncollectible_at, description, metadata, version, made_at, created_at from invoices where subscription_id = :subscription_id and status in ('draft', 'open') order by id

