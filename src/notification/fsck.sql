-- What must be true of notifications, looked for where it is not: see fsck.c. The key of a delivery's job is its id as text.

--- row broken: id uuid, state text

--- one fsck_counts() -> (notifications int, deliveries int, attempts int, steps int, digests int, templates int); scans
select (select count(*) from notifications), (select count(*) from deliveries), (select count(*) from attempts),
	(select count(*) from delivery_steps), (select count(*) from digests), (select count(*) from templates)

--- many fsck_attempts(most int) -> broken; scans
select d.id, d.state from deliveries d
where d.attempts <> (select count(*) from attempts t where t.delivery_id = d.id) limit :most

--- many fsck_sending(most int) -> broken; scans
select d.id, d.state from deliveries d
where (d.state = 'sending') <> exists (select 1 from attempts t where t.delivery_id = d.id and t.ended_at is null) limit :most

--- many fsck_once(most int) -> broken; scans
select d.id, d.state from deliveries d where d.class in ('transactional', 'bulk')
	and (select count(*) from attempts t where t.delivery_id = d.id and t.outcome = 'accepted') > 1 limit :most

--- many fsck_taken(most int) -> broken; scans
select d.id, d.state from deliveries d where d.state = 'accepted'
	and not exists (select 1 from attempts t where t.delivery_id = d.id and t.outcome = 'accepted') limit :most

--- many fsck_timeline(most int) -> broken; scans
select d.id, d.state from deliveries d
where d.version - 1 <> (select count(*) from delivery_steps s where s.delivery_id = d.id)
	or (d.version > 1 and d.state <> (select s.state from delivery_steps s where s.delivery_id = d.id and s.n = d.version)) limit :most

--- many fsck_alive(most int) -> broken; scans
--- sqlite
select d.id, d.state from deliveries d where d.state in ('queued', 'deferred', 'sending') and not exists (
	select 1 from jobs j where j.kind = 'notification.send.' || d.channel and j.state in ('scheduled', 'ready', 'running')
	and j.unique_key = lower(substr(hex(d.id), 1, 8) || '-' || substr(hex(d.id), 9, 4) || '-' || substr(hex(d.id), 13, 4) || '-' ||
		substr(hex(d.id), 17, 4) || '-' || substr(hex(d.id), 21))) limit :most
--- postgres
select d.id, d.state from deliveries d where d.state in ('queued', 'deferred', 'sending') and not exists (
	select 1 from jobs j where j.kind = 'notification.send.' || d.channel and j.state in ('scheduled', 'ready', 'running')
	and j.unique_key = d.id::text) limit :most

--- many fsck_expanding(most int) -> broken; scans
--- sqlite
select n.id, n.state from notifications n where n.state in ('accepted', 'expanding') and not exists (
	select 1 from jobs j where j.kind = 'notification.expand' and j.state in ('scheduled', 'ready', 'running')
	and j.unique_key = lower(substr(hex(n.id), 1, 8) || '-' || substr(hex(n.id), 9, 4) || '-' || substr(hex(n.id), 13, 4) || '-' ||
		substr(hex(n.id), 17, 4) || '-' || substr(hex(n.id), 21))) limit :most
--- postgres
select n.id, n.state from notifications n where n.state in ('accepted', 'expanding') and not exists (
	select 1 from jobs j where j.kind = 'notification.expand' and j.state in ('scheduled', 'ready', 'running')
	and j.unique_key = n.id::text) limit :most

--- many fsck_digest_left(most int) -> broken; scans
select d.id, d.state from deliveries d join digests g on g.id = d.digest_id
where d.state = 'digesting' and g.closed_at is not null limit :most

--- many fsck_digest_open(most int) -> broken; scans
--- sqlite
select g.id, 'open' from digests g where g.closed_at is null and not exists (
	select 1 from jobs j where j.kind = 'notification.digest' and j.state in ('scheduled', 'ready', 'running')
	and j.unique_key = lower(substr(hex(g.id), 1, 8) || '-' || substr(hex(g.id), 9, 4) || '-' || substr(hex(g.id), 13, 4) || '-' ||
		substr(hex(g.id), 17, 4) || '-' || substr(hex(g.id), 21))) limit :most
--- postgres
select g.id, 'open' from digests g where g.closed_at is null and not exists (
	select 1 from jobs j where j.kind = 'notification.digest' and j.state in ('scheduled', 'ready', 'running')
	and j.unique_key = g.id::text) limit :most

--- many fsck_digest_sent(most int) -> broken; scans
select g.id, 'closed' from digests g where g.closed_at is not null
	and exists (select 1 from deliveries d where d.digest_id = g.id and d.state = 'digested')
	and not exists (select 1 from notifications n where n.digest_id = g.id) limit :most

--- many fsck_templates(most int) -> (name text, newest int); scans
select t.name, t.newest from templates t
where t.newest <> (select count(*) from template_versions v where v.name = t.name)
	or t.newest <> (select max(v.version) from template_versions v where v.name = t.name) limit :most
