-- Deliveries, their attempts and what is told of them: see delivery.h.

--- row delivery: id uuid, notification_id uuid, recipient text, channel text, target text, address text, state text, reason text, class text, category text, workflow text, locale text, priority int, attempts int, tried text, template_version int?, collapse_key text, digest_id uuid?, due_at time?, expires_at time?, version int, created_at time, updated_at time

--- exec delivery_add(delivery)
insert into deliveries (id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at)
values (:id, :notification_id, :recipient, :channel, :target, :address, :state, :reason, :class, :category, :workflow, :locale, :priority, :attempts, :tried, :template_version, :collapse_key, :digest_id, :due_at, :expires_at, :version, :created_at, :updated_at)
on conflict (notification_id, recipient, channel, target) do nothing

--- one delivery_by_id(id uuid) -> delivery
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where id = :id

--- one delivery_lock(id uuid) -> delivery
--- sqlite
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where id = :id
--- postgres
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where id = :id for update

--- many deliveries_of(notification_id uuid, after uuid, most int) -> delivery
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where notification_id = :notification_id and id > :after order by id limit :most

--- many deliveries_of_recipient(recipient text, before uuid, most int) -> delivery
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where recipient = :recipient and recipient <> '' and id < :before order by id desc limit :most

--- many deliveries_unsent_of(notification_id uuid) -> delivery
--- sqlite
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where notification_id = :notification_id and state in ('queued', 'deferred', 'digesting') order by id
--- postgres
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where notification_id = :notification_id and state in ('queued', 'deferred', 'digesting') order by id for update

-- Earlier ones that a later one stands in for.
--- many deliveries_to_collapse(recipient text, channel text, target text, collapse_key text, not_of uuid) -> delivery
--- sqlite
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where recipient = :recipient and channel = :channel and target = :target and collapse_key = :collapse_key
	and collapse_key <> '' and state in ('queued', 'deferred', 'digesting') and notification_id < :not_of order by id
--- postgres
select id, notification_id, recipient, channel, target, address, state, reason, class, category, workflow, locale, priority, attempts, tried, template_version, collapse_key, digest_id, due_at, expires_at, version, created_at, updated_at
from deliveries where recipient = :recipient and channel = :channel and target = :target and collapse_key = :collapse_key
	and collapse_key <> '' and state in ('queued', 'deferred', 'digesting') and notification_id < :not_of order by id for update

-- One change of state: as it was, or not at all.
--- exec delivery_move(id uuid, state text, reason text, attempts int, tried text, template_version int?, digest_id uuid?, due_at time?, version int, now time)
update deliveries set state = :state, reason = :reason, attempts = :attempts, tried = :tried, template_version = :template_version,
	digest_id = :digest_id, due_at = :due_at, version = version + 1, updated_at = :now
where id = :id and version = :version

--- exec step_add(delivery_id uuid, n int, state text, detail text, now time)
insert into delivery_steps (delivery_id, n, state, detail, at) values (:delivery_id, :n, :state, :detail, :now)

--- many steps_of(delivery_id uuid) -> (n int, state text, detail text, at time)
select n, state, detail, at from delivery_steps where delivery_id = :delivery_id order by n

--- exec send_attempt_add(delivery_id uuid, n int, provider text, now time)
insert into attempts (delivery_id, n, provider, started_at, code, detail, segments) values (:delivery_id, :n, :provider, :now, '', '', 0)

--- exec send_attempt_end(delivery_id uuid, n int, outcome text, provider_id text?, code text, detail text, segments int, now time)
update attempts set ended_at = :now, outcome = :outcome, provider_id = :provider_id, code = :code, detail = :detail, segments = :segments
where delivery_id = :delivery_id and n = :n and ended_at is null

-- One that never reached the wire.
--- exec send_attempt_undo(delivery_id uuid, n int)
delete from attempts where delivery_id = :delivery_id and n = :n and ended_at is null

--- row send_attempt: delivery_id uuid, n int, provider text, started_at time, ended_at time?, outcome text?, provider_id text?, code text, detail text, segments int

--- many send_attempts_of(delivery_id uuid) -> send_attempt
select delivery_id, n, provider, started_at, ended_at, outcome, provider_id, code, detail, segments from attempts
where delivery_id = :delivery_id order by n

--- one send_attempt_last(delivery_id uuid) -> send_attempt
select delivery_id, n, provider, started_at, ended_at, outcome, provider_id, code, detail, segments from attempts
where delivery_id = :delivery_id order by n desc limit 1

--- one send_attempt_by_provider_id(provider text, provider_id text) -> send_attempt
select delivery_id, n, provider, started_at, ended_at, outcome, provider_id, code, detail, segments from attempts
where provider = :provider and provider_id = :provider_id order by started_at desc limit 1

--- many delivery_counts() -> (state text, channel text, count int); scans
select state, channel, count(*) from deliveries group by state, channel order by channel, state
