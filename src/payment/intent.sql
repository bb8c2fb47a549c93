-- Intents and what providers are asked about them: see intent.c and attempt.c.

--- row intent: id uuid, status text, amount int, currency text, received int, manual bool, customer_id uuid?, method_id uuid?, charge_id uuid?, invoice_id uuid?, unique_key text?, secret text, description text, statement text, email text, metadata json, error json?, attempts int, created_at time, canceled_at time?, cancel_reason text, action_url text

--- one intent_by_id(id uuid) -> intent
select id, status, amount, currency, received, manual, customer_id, method_id, charge_id, invoice_id, unique_key, secret, description,
statement, email, metadata, error, attempts, created_at, canceled_at, cancel_reason, action_url from intents where id = :id

-- Who reads it to change it is alone with it.
--- one intent_hold(id uuid) -> intent
--- sqlite
select id, status, amount, currency, received, manual, customer_id, method_id, charge_id, invoice_id, unique_key, secret, description,
statement, email, metadata, error, attempts, created_at, canceled_at, cancel_reason, action_url from intents where id = :id
--- postgres
select id, status, amount, currency, received, manual, customer_id, method_id, charge_id, invoice_id, unique_key, secret, description,
statement, email, metadata, error, attempts, created_at, canceled_at, cancel_reason, action_url from intents where id = :id for update

--- one intent_by_key(key text) -> intent
select id, status, amount, currency, received, manual, customer_id, method_id, charge_id, invoice_id, unique_key, secret, description,
statement, email, metadata, error, attempts, created_at, canceled_at, cancel_reason, action_url from intents where unique_key = :key

--- many intents_page(customer_id uuid?, after uuid, before uuid, most int) -> intent
select id, status, amount, currency, received, manual, customer_id, method_id, charge_id, invoice_id, unique_key, secret, description,
statement, email, metadata, error, attempts, created_at, canceled_at, cancel_reason, action_url from intents
where id < :after and id > :before and (:customer_id is null or customer_id = :customer_id) order by id desc limit :most

--- many intents_page_back(customer_id uuid?, after uuid, before uuid, most int) -> intent
select id, status, amount, currency, received, manual, customer_id, method_id, charge_id, invoice_id, unique_key, secret, description,
statement, email, metadata, error, attempts, created_at, canceled_at, cancel_reason, action_url from intents
where id < :after and id > :before and (:customer_id is null or customer_id = :customer_id) order by id limit :most

--- exec intent_add(intent)
insert into intents (id, status, amount, currency, received, manual, customer_id, method_id, charge_id, invoice_id, unique_key, secret,
description, statement, email, metadata, error, attempts, created_at, canceled_at, cancel_reason, action_url)
values (:id, :status, :amount, :currency, :received, :manual, :customer_id, :method_id, :charge_id, :invoice_id, :unique_key, :secret,
:description, :statement, :email, :metadata, :error, :attempts, :created_at, :canceled_at, :cancel_reason, :action_url)

--- exec intent_store(id uuid, status text, amount int, currency text, received int, manual bool, customer_id uuid?, method_id uuid?, charge_id uuid?, description text, statement text, email text, metadata json, error json?, attempts int, canceled_at time?, cancel_reason text, action_url text)
update intents set status = :status, amount = :amount, currency = :currency, received = :received, manual = :manual,
customer_id = :customer_id, method_id = :method_id, charge_id = :charge_id, description = :description, statement = :statement,
email = :email, metadata = :metadata, error = :error, attempts = :attempts, canceled_at = :canceled_at,
cancel_reason = :cancel_reason, action_url = :action_url where id = :id

-- Attempts.

--- row attempt: id uuid, intent_id uuid, number int, op text, state text, provider text, amount int, currency text, capture bool, refund_id uuid?, reference text, code text, message text, traceparent text, checks int, created_at time, sent_at time?, ended_at time?, check_at time?

--- one attempt_by_id(id uuid) -> attempt
select id, intent_id, number, op, state, provider, amount, currency, capture, refund_id, reference, code, message, traceparent, checks,
created_at, sent_at, ended_at, check_at from attempts where id = :id

--- one attempt_open(intent_id uuid) -> attempt
select id, intent_id, number, op, state, provider, amount, currency, capture, refund_id, reference, code, message, traceparent, checks,
created_at, sent_at, ended_at, check_at from attempts where intent_id = :intent_id and state in ('created', 'sent', 'unknown')

--- many attempts_of(intent_id uuid) -> attempt
select id, intent_id, number, op, state, provider, amount, currency, capture, refund_id, reference, code, message, traceparent, checks,
created_at, sent_at, ended_at, check_at from attempts where intent_id = :intent_id order by number

--- many attempts_due(now time, most int) -> (id uuid)
select id from attempts where check_at is not null and check_at <= :now order by check_at limit :most

--- exec attempt_add(attempt)
insert into attempts (id, intent_id, number, op, state, provider, amount, currency, capture, refund_id, reference, code, message,
traceparent, checks, created_at, sent_at, ended_at, check_at)
values (:id, :intent_id, :number, :op, :state, :provider, :amount, :currency, :capture, :refund_id, :reference, :code, :message,
:traceparent, :checks, :created_at, :sent_at, :ended_at, :check_at)

-- Only an open one: what has ended stays as it is.
--- exec attempt_store(id uuid, state text, reference text, code text, message text, checks int, ended_at time?, check_at time?)
update attempts set state = :state, reference = :reference, code = :code, message = :message, checks = :checks, ended_at = :ended_at,
check_at = :check_at where id = :id and state in ('created', 'sent', 'unknown')

-- Open ones of the payment that a provider speaks of: its authorization has the reference.
--- many attempts_spoken_of(provider text, reference text, id uuid) -> (id uuid)
select id from attempts where id = :id and state = 'unknown'
union
select a.id from attempts o join attempts a on a.intent_id = o.intent_id and a.state in ('created', 'sent', 'unknown')
where o.provider = :provider and o.reference = :reference and o.reference <> ''

--- one attempt_counts() -> (open int, unknown int); scans
select count(*) as open, coalesce(sum(case when state = 'unknown' then 1 else 0 end), 0) as unknown
from attempts where check_at is not null
