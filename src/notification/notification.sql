-- Workflows and what was asked for: see accept.c and expand.c.

--- row workflow: name text, class text, category text, channels text, template text, locale text, digest_s int, digest_at int?, digest_key text, expires_s int, version int, created_at time, updated_at time

--- one workflow_by_name(name text) -> workflow
select name, class, category, channels, template, locale, digest_s, digest_at, digest_key, expires_s, version, created_at, updated_at
from workflows where name = :name

--- many workflows_after(after text, most int) -> workflow
select name, class, category, channels, template, locale, digest_s, digest_at, digest_key, expires_s, version, created_at, updated_at
from workflows where name > :after order by name limit :most

--- exec workflow_put(workflow)
insert into workflows (name, class, category, channels, template, locale, digest_s, digest_at, digest_key, expires_s, version,
	created_at, updated_at)
values (:name, :class, :category, :channels, :template, :locale, :digest_s, :digest_at, :digest_key, :expires_s, :version,
	:created_at, :updated_at)
on conflict (name) do update set class = excluded.class, category = excluded.category, channels = excluded.channels,
	template = excluded.template, locale = excluded.locale, digest_s = excluded.digest_s, digest_at = excluded.digest_at,
	digest_key = excluded.digest_key, expires_s = excluded.expires_s, version = workflows.version + 1,
	updated_at = excluded.updated_at

--- exec workflow_remove(name text)
delete from workflows where name = :name

--- row notification: id uuid, workflow text, class text, category text, state text, recipients json, channels text, data json, content json?, raw_ref text?, priority int, send_at time?, expires_at time?, collapse_key text, digest_id uuid?, place text, author text, traceparent text, created_at time, expanded_at time?, cancelled_at time?

--- exec notification_add(notification)
insert into notifications (id, workflow, class, category, state, recipients, channels, data, content, raw_ref, priority, send_at,
	expires_at, collapse_key, digest_id, place, author, traceparent, created_at, expanded_at, cancelled_at)
values (:id, :workflow, :class, :category, :state, :recipients, :channels, :data, :content, :raw_ref, :priority, :send_at,
	:expires_at, :collapse_key, :digest_id, :place, :author, :traceparent, :created_at, :expanded_at, :cancelled_at)

--- one notification_by_id(id uuid) -> notification
select id, workflow, class, category, state, recipients, channels, data, content, raw_ref, priority, send_at, expires_at,
	collapse_key, digest_id, place, author, traceparent, created_at, expanded_at, cancelled_at
from notifications where id = :id

--- one notification_lock(id uuid) -> (state text, place text)
--- sqlite
select state, place from notifications where id = :id
--- postgres
select state, place from notifications where id = :id for update

-- Newest first.
--- many notifications_before(before uuid, most int) -> notification
select id, workflow, class, category, state, recipients, channels, data, content, raw_ref, priority, send_at, expires_at,
	collapse_key, digest_id, place, author, traceparent, created_at, expanded_at, cancelled_at
from notifications where id < :before order by id desc limit :most

--- exec notification_placed(id uuid, state text, place text, expanded_at time?)
update notifications set state = :state, place = :place, expanded_at = :expanded_at where id = :id and state <> 'cancelled'

--- exec notification_cancel(id uuid, now time)
update notifications set state = 'cancelled', cancelled_at = :now where id = :id and state <> 'cancelled'

-- Old ones, when nothing of them is on its way.
--- many notifications_old(before time, most int) -> (id uuid)
select id from notifications n where n.created_at < :before and n.state in ('expanded', 'cancelled')
	and not exists (select 1 from deliveries d where d.notification_id = n.id
		and d.state in ('queued', 'deferred', 'digesting', 'sending'))
order by n.created_at limit :most

--- exec notification_steps_remove(id uuid)
delete from delivery_steps where delivery_id in (select d.id from deliveries d where d.notification_id = :id)
--- exec notification_attempts_remove(id uuid)
delete from attempts where delivery_id in (select d.id from deliveries d where d.notification_id = :id)
--- exec notification_deliveries_remove(id uuid)
delete from deliveries where notification_id = :id
--- exec notification_remove(id uuid)
delete from notifications where id = :id

--- exec secret_add(name text, value bytes, now time)
insert into notification_secrets (name, value, created_at) values (:name, :value, :now) on conflict (name) do nothing
--- one secret_get(name text) -> (value bytes)
select value from notification_secrets where name = :name
