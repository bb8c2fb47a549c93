-- Webhooks out: see hook.c.

--- row hook: id uuid, url text, types json, description text, status text, reason text, metadata json, api_version text, secret text, old_secret text, old_until time?, failing_since time?, created_at time, updated_at time

--- exec hook_insert(hook)
insert into webhook_endpoints (id, url, types, description, status, reason, metadata, api_version, secret, old_secret,
	old_until, failing_since, created_at, updated_at)
values (:id, :url, :types, :description, :status, :reason, :metadata, :api_version, :secret, :old_secret,
	:old_until, :failing_since, :created_at, :updated_at)

--- exec hook_update(hook)
update webhook_endpoints set url = :url, types = :types, description = :description, status = :status, reason = :reason,
	metadata = :metadata, api_version = :api_version, secret = :secret, old_secret = :old_secret, old_until = :old_until,
	failing_since = :failing_since, created_at = :created_at, updated_at = :updated_at
where id = :id

--- exec hook_delete(id uuid)
delete from webhook_endpoints where id = :id

--- one hook_by_id(id uuid) -> hook
select id, url, types, description, status, reason, metadata, api_version, secret, old_secret, old_until, failing_since,
	created_at, updated_at
from webhook_endpoints where id = :id

--- one hooks_count() -> (count int); scans
select count(*) from webhook_endpoints

--- many hooks_enabled() -> hook; scans
select id, url, types, description, status, reason, metadata, api_version, secret, old_secret, old_until, failing_since,
	created_at, updated_at
from webhook_endpoints where status = 'enabled' order by id

--- many hooks_page(after uuid, before uuid, most int) -> hook
select id, url, types, description, status, reason, metadata, api_version, secret, old_secret, old_until, failing_since,
	created_at, updated_at
from webhook_endpoints where id < :after and id > :before order by id desc limit :most

--- many hooks_page_back(after uuid, before uuid, most int) -> hook
select id, url, types, description, status, reason, metadata, api_version, secret, old_secret, old_until, failing_since,
	created_at, updated_at
from webhook_endpoints where id < :after and id > :before order by id limit :most

-- How it went with an endpoint. Of one that failed since some time it is the first of these times that stays.
--- exec hook_worked(id uuid)
update webhook_endpoints set failing_since = null where id = :id and failing_since is not null

--- exec hook_failed(id uuid, now time)
update webhook_endpoints set failing_since = :now where id = :id and failing_since is null

--- exec hook_disable(id uuid, reason text, now time)
update webhook_endpoints set status = 'disabled', reason = :reason, updated_at = :now where id = :id and status = 'enabled'

--- row hook_delivery: id uuid, endpoint_id uuid, event_id text, type text, body text, state text, tries int, status int, error text, created_at time, tried_at time?, ended_at time?

--- exec hook_delivery_add(hook_delivery)
insert into webhook_deliveries (id, endpoint_id, event_id, type, body, state, tries, status, error, created_at, tried_at, ended_at)
values (:id, :endpoint_id, :event_id, :type, :body, :state, :tries, :status, :error, :created_at, :tried_at, :ended_at)
on conflict do nothing

--- one hook_delivery_by_id(id uuid) -> hook_delivery
select id, endpoint_id, event_id, type, body, state, tries, status, error, created_at, tried_at, ended_at
from webhook_deliveries where id = :id

-- What came of a try. One that was delivered meanwhile stays so.
--- exec hook_delivery_tried(id uuid, state text, status int, error text, now time, ended_at time?)
update webhook_deliveries set state = :state, tries = tries + 1, status = :status, error = :error, tried_at = :now, ended_at = :ended_at
where id = :id and state = 'waiting'

--- exec hook_delivery_again(id uuid)
update webhook_deliveries set state = 'waiting', ended_at = null where id = :id and state <> 'waiting'

--- many hook_deliveries_page(endpoint_id uuid, state text, before uuid, most int) -> hook_delivery
select id, endpoint_id, event_id, type, body, state, tries, status, error, created_at, tried_at, ended_at
from webhook_deliveries where endpoint_id = :endpoint_id and state = :state and id < :before
order by id desc limit :most

--- many hook_deliveries_dead(endpoint_id uuid, since time, after uuid, most int) -> (id uuid)
select id from webhook_deliveries
where endpoint_id = :endpoint_id and state = 'dead' and id > :after and created_at >= :since order by id limit :most

--- many hook_deliveries_waiting(before time, after uuid, most int) -> (id uuid); scans
select id from webhook_deliveries where state = 'waiting' and created_at < :before and id > :after order by id limit :most

--- exec hook_deliveries_purge(before time)
delete from webhook_deliveries where ended_at < :before
