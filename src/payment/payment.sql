-- Customers, their payment methods, intents, charges, refunds, events: see payment_store.h and the files of each.

--- row customer: id uuid, email text, name text, description text, phone text, metadata json, zone text, method_id uuid?, invoice_prefix text, next_invoice int, version int, created_at time, deleted_at time?

--- one customer_by_id(id uuid) -> customer
select id, email, name, description, phone, metadata, zone, method_id, invoice_prefix, next_invoice, version, created_at, deleted_at
from customers where id = :id

--- many customers_page(after uuid, before uuid, most int) -> customer
select id, email, name, description, phone, metadata, zone, method_id, invoice_prefix, next_invoice, version, created_at, deleted_at
from customers where id < :after and id > :before and deleted_at is null order by id desc limit :most

--- many customers_page_back(after uuid, before uuid, most int) -> customer
select id, email, name, description, phone, metadata, zone, method_id, invoice_prefix, next_invoice, version, created_at, deleted_at
from customers where id < :after and id > :before and deleted_at is null order by id limit :most

--- many customers_of_email(email text, after uuid, before uuid, most int) -> customer
select id, email, name, description, phone, metadata, zone, method_id, invoice_prefix, next_invoice, version, created_at, deleted_at
from customers where email = :email and email <> '' and id < :after and id > :before and deleted_at is null order by id desc limit :most

--- exec customer_add(customer)
insert into customers (id, email, name, description, phone, metadata, zone, method_id, invoice_prefix, next_invoice, version, created_at, deleted_at)
values (:id, :email, :name, :description, :phone, :metadata, :zone, :method_id, :invoice_prefix, :next_invoice, :version, :created_at, :deleted_at)

--- exec customer_change(id uuid, email text, name text, description text, phone text, metadata json, zone text, method_id uuid?, before int)
update customers set email = :email, name = :name, description = :description, phone = :phone, metadata = :metadata, zone = :zone,
method_id = :method_id, version = version + 1 where id = :id and version = :before and deleted_at is null

-- What is personal goes; the id stays, for what points to it.
--- exec customer_remove(id uuid, now time)
update customers set email = '', name = '', description = '', phone = '', metadata = '{}', method_id = null, version = version + 1,
deleted_at = :now where id = :id and deleted_at is null

--- exec customer_invoiced(id uuid)
update customers set next_invoice = next_invoice + 1 where id = :id

--- exec customer_method_forget(method_id uuid, customer_id uuid)
update customers set method_id = null, version = version + 1 where id = :customer_id and method_id = :method_id

-- Payment methods.

--- row method: id uuid, customer_id uuid?, type text, provider text, token text, brand text, last4 text, exp_month int, exp_year int, fingerprint text, billing json, metadata json, created_at time

--- one method_by_id(id uuid) -> method
select id, customer_id, type, provider, token, brand, last4, exp_month, exp_year, fingerprint, billing, metadata, created_at
from payment_methods where id = :id

--- many methods_of(customer_id uuid, after uuid, before uuid, most int) -> method
select id, customer_id, type, provider, token, brand, last4, exp_month, exp_year, fingerprint, billing, metadata, created_at
from payment_methods where customer_id = :customer_id and id < :after and id > :before order by id desc limit :most

--- many methods_of_back(customer_id uuid, after uuid, before uuid, most int) -> method
select id, customer_id, type, provider, token, brand, last4, exp_month, exp_year, fingerprint, billing, metadata, created_at
from payment_methods where customer_id = :customer_id and id < :after and id > :before order by id limit :most

--- exec method_add(method)
insert into payment_methods (id, customer_id, type, provider, token, brand, last4, exp_month, exp_year, fingerprint, billing, metadata, created_at)
values (:id, :customer_id, :type, :provider, :token, :brand, :last4, :exp_month, :exp_year, :fingerprint, :billing, :metadata, :created_at)

--- exec method_change(id uuid, exp_month int, exp_year int, billing json, metadata json)
update payment_methods set exp_month = :exp_month, exp_year = :exp_year, billing = :billing, metadata = :metadata where id = :id

--- exec method_attach(id uuid, customer_id uuid?)
update payment_methods set customer_id = :customer_id where id = :id

--- exec methods_detach(customer_id uuid)
update payment_methods set customer_id = null where customer_id = :customer_id

-- Charges.

--- row charge: id uuid, intent_id uuid, attempt_id uuid, status text, amount int, captured int, refunded int, disputed int, voided bool, currency text, customer_id uuid?, method_id uuid?, provider text, reference text, failure_code text, failure_message text, created_at time

--- one charge_by_id(id uuid) -> charge
select id, intent_id, attempt_id, status, amount, captured, refunded, disputed, voided, currency, customer_id, method_id, provider,
reference, failure_code, failure_message, created_at from charges where id = :id

--- many charges_page(intent_id uuid?, customer_id uuid?, after uuid, before uuid, most int) -> charge
select id, intent_id, attempt_id, status, amount, captured, refunded, disputed, voided, currency, customer_id, method_id, provider,
reference, failure_code, failure_message, created_at from charges
where id < :after and id > :before and (:intent_id is null or intent_id = :intent_id)
and (:customer_id is null or customer_id = :customer_id) order by id desc limit :most

--- many charges_page_back(intent_id uuid?, customer_id uuid?, after uuid, before uuid, most int) -> charge
select id, intent_id, attempt_id, status, amount, captured, refunded, disputed, voided, currency, customer_id, method_id, provider,
reference, failure_code, failure_message, created_at from charges
where id < :after and id > :before and (:intent_id is null or intent_id = :intent_id)
and (:customer_id is null or customer_id = :customer_id) order by id limit :most

--- exec charge_add(charge)
insert into charges (id, intent_id, attempt_id, status, amount, captured, refunded, disputed, voided, currency, customer_id, method_id,
provider, reference, failure_code, failure_message, created_at)
values (:id, :intent_id, :attempt_id, :status, :amount, :captured, :refunded, :disputed, :voided, :currency, :customer_id, :method_id,
:provider, :reference, :failure_code, :failure_message, :created_at)

--- exec charge_captured(id uuid, captured int)
update charges set captured = :captured where id = :id

--- exec charge_voided(id uuid)
update charges set voided = true where id = :id

-- More than was captured is refused by the table.
--- exec charge_refund(id uuid, amount int)
update charges set refunded = refunded + :amount where id = :id

-- Refunds.

--- row refund: id uuid, charge_id uuid, intent_id uuid, amount int, currency text, status text, reason text, failure text, unique_key text?, metadata json, created_at time

--- one refund_by_id(id uuid) -> refund
select id, charge_id, intent_id, amount, currency, status, reason, failure, unique_key, metadata, created_at from refunds where id = :id

--- one refund_by_key(key text) -> refund
select id, charge_id, intent_id, amount, currency, status, reason, failure, unique_key, metadata, created_at from refunds where unique_key = :key

--- many refunds_page(intent_id uuid?, charge_id uuid?, after uuid, before uuid, most int) -> refund
select id, charge_id, intent_id, amount, currency, status, reason, failure, unique_key, metadata, created_at from refunds
where id < :after and id > :before and (:intent_id is null or intent_id = :intent_id)
and (:charge_id is null or charge_id = :charge_id) order by id desc limit :most

--- many refunds_page_back(intent_id uuid?, charge_id uuid?, after uuid, before uuid, most int) -> refund
select id, charge_id, intent_id, amount, currency, status, reason, failure, unique_key, metadata, created_at from refunds
where id < :after and id > :before and (:intent_id is null or intent_id = :intent_id)
and (:charge_id is null or charge_id = :charge_id) order by id limit :most

--- exec refund_add(refund)
insert into refunds (id, charge_id, intent_id, amount, currency, status, reason, failure, unique_key, metadata, created_at)
values (:id, :charge_id, :intent_id, :amount, :currency, :status, :reason, :failure, :unique_key, :metadata, :created_at)

-- One that failed gives its key back: whoever comes with it again makes another.
--- exec refund_end(id uuid, status text, failure text)
update refunds set status = :status, failure = :failure,
unique_key = case when :status = 'succeeded' then unique_key else null end where id = :id and status = 'pending'

--- exec refund_describe(id uuid, metadata json)
update refunds set metadata = :metadata where id = :id

-- What moved the balance.

--- row moved: id uuid, type text, source_id uuid, amount int, fee int, currency text, description text, created_at time, available_at time

--- one moved_by_id(id uuid) -> moved
select id, type, source_id, amount, fee, currency, description, created_at, available_at from balance_transactions where id = :id

--- one moved_by_source(source_id uuid, type text) -> moved
select id, type, source_id, amount, fee, currency, description, created_at, available_at from balance_transactions
where source_id = :source_id and type = :type

--- many moved_page(type text, after uuid, before uuid, most int) -> moved
select id, type, source_id, amount, fee, currency, description, created_at, available_at from balance_transactions
where id < :after and id > :before and (:type = '' or type = :type) order by id desc limit :most

--- many moved_page_back(type text, after uuid, before uuid, most int) -> moved
select id, type, source_id, amount, fee, currency, description, created_at, available_at from balance_transactions
where id < :after and id > :before and (:type = '' or type = :type) order by id limit :most

--- exec moved_add(moved)
insert into balance_transactions (id, type, source_id, amount, fee, currency, description, created_at, available_at)
values (:id, :type, :source_id, :amount, :fee, :currency, :description, :created_at, :available_at)

-- What has happened.

--- row told: id uuid, type text, object_id text, object json, previous json?, request text, request_key text, created_at time

--- one event_by_id(id uuid) -> told
select id, type, object_id, object, previous, request, request_key, created_at from payment_events where id = :id

--- many events_page(type text, after uuid, before uuid, most int) -> told
select id, type, object_id, object, previous, request, request_key, created_at from payment_events
where id < :after and id > :before and (:type = '' or type = :type) order by id desc limit :most

--- many events_page_back(type text, after uuid, before uuid, most int) -> told
select id, type, object_id, object, previous, request, request_key, created_at from payment_events
where id < :after and id > :before and (:type = '' or type = :type) order by id limit :most

--- exec event_add(told)
insert into payment_events (id, type, object_id, object, previous, request, request_key, created_at)
values (:id, :type, :object_id, :object, :previous, :request, :request_key, :created_at)

--- exec events_purge(before time); scans
delete from payment_events where created_at < :before

-- Keys of programs.

--- row payment_key: id uuid, kind text, name text, hash bytes, hint text, scopes text, created_at time, until time?, revoked_at time?

--- one payment_key_by_hash(hash bytes) -> payment_key
select id, kind, name, hash, hint, scopes, created_at, until, revoked_at from payment_keys where hash = :hash

--- many payment_keys_all() -> payment_key; scans
select id, kind, name, hash, hint, scopes, created_at, until, revoked_at from payment_keys order by id

--- exec payment_key_add(payment_key)
insert into payment_keys (id, kind, name, hash, hint, scopes, created_at, until, revoked_at)
values (:id, :kind, :name, :hash, :hint, :scopes, :created_at, :until, :revoked_at)

--- exec payment_key_revoke(id uuid, now time)
update payment_keys set revoked_at = :now where id = :id and revoked_at is null
