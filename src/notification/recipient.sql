-- Who gets something, and by what: see recipients.h.

--- row recipient: id text, name text, locale text, zone text, quiet_from int?, quiet_to int?, quiet_days int, quiet_channels text, version int, created_at time, updated_at time

--- one recipient_by_id(id text) -> recipient
select id, name, locale, zone, quiet_from, quiet_to, quiet_days, quiet_channels, version, created_at, updated_at
from recipients where id = :id

--- many recipients_after(after text, most int) -> recipient
select id, name, locale, zone, quiet_from, quiet_to, quiet_days, quiet_channels, version, created_at, updated_at
from recipients where id > :after order by id limit :most

-- There is one from now on; nothing changes when there was.
--- exec recipient_need(id text, now time)
insert into recipients (id, name, locale, zone, quiet_from, quiet_to, quiet_days, quiet_channels, version, created_at, updated_at)
values (:id, '', '', 'UTC', null, null, 0, 'push sms', 1, :now, :now) on conflict (id) do nothing

--- exec recipient_change(id text, name text, locale text, zone text, quiet_from int?, quiet_to int?, quiet_days int, quiet_channels text, now time)
update recipients set name = :name, locale = :locale, zone = :zone, quiet_from = :quiet_from, quiet_to = :quiet_to,
	quiet_days = :quiet_days, quiet_channels = :quiet_channels, version = version + 1, updated_at = :now
where id = :id

--- row contact: recipient text, channel text, address text, address_hash bytes, verified_at time?, state text, state_at time, updated_at time

--- many contacts_of(recipient text) -> contact
select recipient, channel, address, address_hash, verified_at, state, state_at, updated_at from contacts
where recipient = :recipient order by channel

--- exec contact_put(contact)
insert into contacts (recipient, channel, address, address_hash, verified_at, state, state_at, updated_at)
values (:recipient, :channel, :address, :address_hash, :verified_at, :state, :state_at, :updated_at)
on conflict (recipient, channel) do update set address = excluded.address, address_hash = excluded.address_hash,
	verified_at = excluded.verified_at, state = excluded.state, state_at = excluded.state_at, updated_at = excluded.updated_at

--- exec contact_remove(recipient text, channel text)
delete from contacts where recipient = :recipient and channel = :channel

--- exec contacts_state(address_hash bytes, channel text, state text, now time)
update contacts set state = :state, state_at = :now where address_hash = :address_hash and channel = :channel

--- row device: id uuid, recipient text, platform text, token text, keys json, name text, failures int, ok_at time?, created_at time, updated_at time

--- many devices_of(recipient text) -> device
select id, recipient, platform, token, keys, name, failures, ok_at, created_at, updated_at from devices
where recipient = :recipient order by id

--- one device_by_id(id uuid) -> device
select id, recipient, platform, token, keys, name, failures, ok_at, created_at, updated_at from devices where id = :id

--- one device_by_token(platform text, token text) -> (id uuid)
select id from devices where platform = :platform and token = :token

-- A token is of one device: whoever says it last has it.
--- exec device_put(device)
insert into devices (id, recipient, platform, token, keys, name, failures, ok_at, created_at, updated_at)
values (:id, :recipient, :platform, :token, :keys, :name, :failures, :ok_at, :created_at, :updated_at)
on conflict (platform, token) do update set recipient = excluded.recipient, keys = excluded.keys, name = excluded.name,
	failures = 0, updated_at = excluded.updated_at

--- exec device_remove(id uuid, recipient text)
delete from devices where id = :id and recipient = :recipient

--- exec device_gone(id uuid, said_before time)
delete from devices where id = :id and updated_at <= :said_before

--- exec device_worked(id uuid, now time)
update devices set ok_at = :now, failures = 0 where id = :id

--- exec device_failed(id uuid)
update devices set failures = failures + 1 where id = :id

--- many preferences_of(recipient text) -> (category text, channel text, allowed bool, updated_at time)
select category, channel, allowed, updated_at from preferences where recipient = :recipient order by category, channel

--- exec preference_put(recipient text, category text, channel text, allowed bool, now time)
insert into preferences (recipient, category, channel, allowed, updated_at) values (:recipient, :category, :channel, :allowed, :now)
on conflict (recipient, category, channel) do update set allowed = excluded.allowed, updated_at = excluded.updated_at

--- exec preferences_remove(recipient text)
delete from preferences where recipient = :recipient

--- exec devices_remove(recipient text)
delete from devices where recipient = :recipient

--- exec contacts_remove(recipient text)
delete from contacts where recipient = :recipient

--- exec recipient_remove(id text)
delete from recipients where id = :id

-- What is kept of a recipient in deliveries that are over: not who it was.
--- exec deliveries_forget(recipient text)
update deliveries set address = '' where recipient = :recipient and recipient <> '' and address <> ''

--- one topic_by_name(name text) -> (name text, title text, created_at time)
select name, title, created_at from topics where name = :name

--- many topics_after(after text, most int) -> (name text, title text, created_at time)
select name, title, created_at from topics where name > :after order by name limit :most

--- exec topic_put(name text, title text, now time)
insert into topics (name, title, created_at) values (:name, :title, :now)
on conflict (name) do update set title = excluded.title

--- exec topic_remove(name text)
delete from topics where name = :name

--- exec topic_members_remove(name text)
delete from topic_members where topic = :name

--- many topic_members_after(topic text, after text, most int) -> (recipient text, created_at time)
select recipient, created_at from topic_members where topic = :topic and recipient > :after order by recipient limit :most

--- exec topic_member_add(topic text, recipient text, now time)
insert into topic_members (topic, recipient, created_at) values (:topic, :recipient, :now) on conflict (topic, recipient) do nothing

--- exec topic_member_remove(topic text, recipient text)
delete from topic_members where topic = :topic and recipient = :recipient

--- exec topics_leave(recipient text)
delete from topic_members where recipient = :recipient

--- row suppression: channel text, address_hash bytes, scope text, reason text, hint text, detail text, id uuid, created_at time

-- Of one address: for all, or for a category.
--- many suppressions_of(channel text, address_hash bytes) -> suppression
select channel, address_hash, scope, reason, hint, detail, id, created_at from suppressions
where channel = :channel and address_hash = :address_hash order by scope

--- many suppressions_after(after uuid, most int) -> suppression
select channel, address_hash, scope, reason, hint, detail, id, created_at from suppressions where id > :after order by id limit :most

-- What holds more stays: a bounce and a person's word hold security mails too, so they replace a complaint and an unsubscription.
--- exec suppression_put(suppression)
insert into suppressions (channel, address_hash, scope, reason, hint, detail, id, created_at)
values (:channel, :address_hash, :scope, :reason, :hint, :detail, :id, :created_at)
on conflict (channel, address_hash, scope) do update set reason = excluded.reason, hint = excluded.hint, detail = excluded.detail
where excluded.reason in ('bounce', 'manual') and suppressions.reason in ('complaint', 'unsubscribe')

--- one suppression_by_id(id uuid) -> suppression
select channel, address_hash, scope, reason, hint, detail, id, created_at from suppressions where id = :id

--- exec suppression_remove(id uuid)
delete from suppressions where id = :id
