-- The outbox: see outbox.c.

--- row outbox: seq int, id uuid, type text, aggregate_type text, aggregate_id text, data json, traceparent text?, created_at time

--- exec outbox_add(id uuid, type text, aggregate_type text, aggregate_id text, data json, traceparent text?, created_at time)
insert into outbox (id, type, aggregate_type, aggregate_id, data, traceparent, created_at)
values (:id, :type, :aggregate_type, :aggregate_id, :data, :traceparent, :created_at)

--- many outbox_after(after int, most int) -> outbox
select seq, id, type, aggregate_type, aggregate_id, data, traceparent, created_at
from outbox where seq > :after order by seq limit :most

--- one outbox_next_time(after int) -> (created_at time)
select created_at from outbox where seq > :after order by seq limit 1

-- Events of committed transactions get their places: one at a time, the head's row is the lock.

-- (The first row of a partial index.)
--- one outbox_waits() -> (waits bool); scans
--- postgres
select exists (select 1 from outbox where seq is null)

--- one outbox_head_lock() -> (seq int)
--- postgres
select seq from outbox_head where one = 1 for update

--- exec outbox_number(base int, most int)
--- postgres
update outbox set seq = :base + page.n
from (select pos, row_number() over (order by pos) as n
      from (select pos from outbox where seq is null order by pos limit :most) as waiting) as page
where outbox.pos = page.pos

--- exec outbox_head_set(seq int)
--- postgres
update outbox_head set seq = :seq where one = 1

--- one outbox_last() -> (seq int); scans
--- sqlite
select coalesce((select seq from sqlite_sequence where name = 'outbox'), 0)
--- postgres
select seq from outbox_head where one = 1

-- Readers, and what all of them have read.

--- exec outbox_reader_set(name text, seq int, seen_at time)
insert into outbox_readers (name, seq, seen_at) values (:name, :seq, :seen_at)
on conflict (name) do update set seq = excluded.seq, seen_at = excluded.seen_at

--- one outbox_reader(name text) -> (seq int)
select seq from outbox_readers where name = :name

--- many outbox_readers_all() -> (name text, seq int, seen_at time); scans
select name, seq, seen_at from outbox_readers order by name

-- What a reader has not read, and how much of that all others have.
--- one outbox_unread(name text, after int) -> (unread int, alone int); scans
select count(*), coalesce(sum(case when seq <= (
		select coalesce(min(seq), 9223372036854775807) from outbox_readers where name <> :name)
	then 1 else 0 end), 0) from outbox where seq > :after

--- exec outbox_reader_remove(name text)
delete from outbox_readers where name = :name

--- one outbox_read_by_all() -> (readers int, seq int); scans
select count(*), coalesce(min(seq), 0) from outbox_readers

--- exec outbox_purge(upto int, before time, most int)
delete from outbox where seq in (
	select seq from outbox where seq <= :upto and created_at < :before order by seq limit :most)
