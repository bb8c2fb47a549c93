-- The inbox in the application, and digests: see inbox.h, digest.h.

--- row item: seq int, id uuid, recipient text, delivery_id uuid, category text, title text, text text, url text, icon text, data json, created_at time, seen_at time?, read_at time?, archived_at time?

--- exec item_add(id uuid, recipient text, delivery_id uuid, category text, title text, text text, url text, icon text, data json, now time)
insert into inbox_items (id, recipient, delivery_id, category, title, text, url, icon, data, created_at)
values (:id, :recipient, :delivery_id, :category, :title, :text, :url, :icon, :data, :now)
on conflict (delivery_id) do nothing

-- Newest first.
--- many items_before(recipient text, before int, most int) -> item
select seq, id, recipient, delivery_id, category, title, text, url, icon, data, created_at, seen_at, read_at, archived_at
from inbox_items where recipient = :recipient and seq < :before and archived_at is null order by seq desc limit :most

--- many items_unread_before(recipient text, before int, most int) -> item
select seq, id, recipient, delivery_id, category, title, text, url, icon, data, created_at, seen_at, read_at, archived_at
from inbox_items where recipient = :recipient and seq < :before and archived_at is null and read_at is null
order by seq desc limit :most

--- many items_after(recipient text, after int, most int) -> item
select seq, id, recipient, delivery_id, category, title, text, url, icon, data, created_at, seen_at, read_at, archived_at
from inbox_items where recipient = :recipient and seq > :after order by seq limit :most

--- one item_by_id(id uuid, recipient text) -> item
select seq, id, recipient, delivery_id, category, title, text, url, icon, data, created_at, seen_at, read_at, archived_at
from inbox_items where id = :id and recipient = :recipient

--- one items_last(recipient text) -> (seq int)
select seq from inbox_items where recipient = :recipient order by seq desc limit 1

--- one items_counts(recipient text) -> (unread int, unseen int)
select count(*) as unread, coalesce(sum(case when seen_at is null then 1 else 0 end), 0) as unseen from inbox_items
where recipient = :recipient and read_at is null and archived_at is null

--- exec item_mark(id uuid, recipient text, seen_at time?, read_at time?, archived_at time?)
update inbox_items set seen_at = :seen_at, read_at = :read_at, archived_at = :archived_at where id = :id and recipient = :recipient

--- exec items_read_all(recipient text, now time)
update inbox_items set read_at = :now, seen_at = coalesce(seen_at, :now)
where recipient = :recipient and read_at is null and archived_at is null

--- exec items_seen_all(recipient text, now time)
update inbox_items set seen_at = :now where recipient = :recipient and seen_at is null and read_at is null and archived_at is null

--- exec items_remove(recipient text)
delete from inbox_items where recipient = :recipient

-- Places rise with time, near enough: the oldest come first.
--- exec items_purge(before time, most int); scans
delete from inbox_items where seq in (select seq from inbox_items where created_at < :before order by seq limit :most)

--- row digest: id uuid, workflow text, recipient text, channel text, key text, window_start time, closes_at time, closed_at time?

--- one digest_open(workflow text, recipient text, channel text, key text) -> digest
select id, workflow, recipient, channel, key, window_start, closes_at, closed_at from digests
where workflow = :workflow and recipient = :recipient and channel = :channel and key = :key and closed_at is null

--- one digest_by_id(id uuid) -> digest
select id, workflow, recipient, channel, key, window_start, closes_at, closed_at from digests where id = :id

--- exec digest_add(digest)
insert into digests (id, workflow, recipient, channel, key, window_start, closes_at, closed_at)
values (:id, :workflow, :recipient, :channel, :key, :window_start, :closes_at, :closed_at)

--- exec digest_close(id uuid, now time)
update digests set closed_at = :now where id = :id and closed_at is null

--- many digest_items(digest_id uuid, most int) -> (id uuid, notification_id uuid, version int, attempts int, tried text, data json, created_at time)
select d.id, d.notification_id, d.version, d.attempts, d.tried, n.data, d.created_at
from deliveries d join notifications n on n.id = d.notification_id
where d.digest_id = :digest_id and d.state = 'digesting' order by d.created_at, d.id limit :most

-- Closed ones of which nothing is kept any more.
--- exec digests_purge(before time, most int); scans
delete from digests where id in (select g.id from digests g where g.closed_at < :before
	and not exists (select 1 from deliveries d where d.digest_id = g.id)
	and not exists (select 1 from notifications n where n.digest_id = g.id) limit :most)
