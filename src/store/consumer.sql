-- What a consumer has in its own database: see consumer.c.

--- row held: pos int, consumer text, source text, part int, id uuid, subject text, type text, event json, attempts int, next_at time, dead_at time?, error text, held_at time

-- Which instance has a part of a source, and where it is.

--- exec cursor_add(consumer text, source text, part int, then time)
insert into event_cursors (consumer, source, part, seq, owner, fence, leased_until)
values (:consumer, :source, :part, 0, '', 0, :then)
on conflict (consumer, source, part) do nothing

--- one cursor_claim(consumer text, source text, part int, owner text, now time, until time) -> (seq int, fence int)
update event_cursors set owner = :owner, fence = fence + 1, leased_until = :until
where consumer = :consumer and source = :source and part = :part
	and (leased_until < :now or owner = :owner)
returning seq, fence

--- exec cursor_advance(consumer text, source text, part int, fence int, seq int, until time)
update event_cursors set seq = :seq, leased_until = :until
where consumer = :consumer and source = :source and part = :part and fence = :fence

--- exec cursor_leave(consumer text, source text, part int, fence int, then time)
update event_cursors set leased_until = :then
where consumer = :consumer and source = :source and part = :part and fence = :fence

-- Whoever has it begins again.
--- exec cursor_rewind(consumer text, source text, seq int, then time)
update event_cursors set seq = :seq, fence = fence + 1, leased_until = :then
where consumer = :consumer and source = :source

--- many cursors_all() -> (consumer text, source text, part int, seq int, owner text, fence int, leased_until time); scans
select consumer, source, part, seq, owner, fence, leased_until from event_cursors
order by consumer, source, part

-- What has taken effect.

--- exec inbox_add(consumer text, source text, id uuid, now time)
insert into inbox (consumer, source, id, taken_at) values (:consumer, :source, :id, :now)
on conflict (consumer, source, id) do nothing

--- one inbox_has(consumer text, source text, id uuid) -> (taken_at time)
select taken_at from inbox where consumer = :consumer and source = :source and id = :id

--- exec inbox_remove(consumer text, source text, id uuid)
delete from inbox where consumer = :consumer and source = :source and id = :id

--- exec inbox_purge(before time, most int)
--- sqlite
delete from inbox where (consumer, source, id) in (
	select consumer, source, id from inbox where taken_at < :before order by taken_at limit :most)
--- postgres
delete from inbox where ctid = any (array(
	select ctid from inbox where taken_at < :before order by taken_at limit :most))

-- Events whose effect failed. Of those that are alive the first of a subject is due some day, the others at the end of days.

--- one held_any(consumer text, source text, part int) -> (pos int)
select pos from event_held
where consumer = :consumer and source = :source and part = :part and dead_at is null limit 1

--- one held_first_of(consumer text, source text, subject text) -> (pos int, next_at time)
select pos, next_at from event_held
where consumer = :consumer and source = :source and subject = :subject and dead_at is null
order by pos limit 1

--- exec held_add(consumer text, source text, part int, id uuid, subject text, type text, event json, attempts int, next_at time, dead_at time?, error text, held_at time)
insert into event_held
	(consumer, source, part, id, subject, type, event, attempts, next_at, dead_at, error, held_at)
values (:consumer, :source, :part, :id, :subject, :type, :event, :attempts, :next_at, :dead_at, :error, :held_at)
on conflict (consumer, source, id) do nothing

--- many held_due(consumer text, source text, part int, now time, most int) -> held
select pos, consumer, source, part, id, subject, type, event, attempts, next_at, dead_at, error, held_at from event_held
where consumer = :consumer and source = :source and part = :part and dead_at is null and next_at <= :now
order by next_at, pos limit :most

--- one held_next_time(consumer text, source text, part int) -> (next_at time)
select next_at from event_held
where consumer = :consumer and source = :source and part = :part and dead_at is null
order by next_at limit 1

--- exec held_put_off(pos int, attempts int, next_at time, dead_at time?, error text)
update event_held set attempts = :attempts, next_at = :next_at, dead_at = :dead_at, error = :error where pos = :pos

--- exec held_due_now(pos int, now time)
update event_held set next_at = :now where pos = :pos

--- exec held_remove(pos int)
delete from event_held where pos = :pos

-- Dead letters.

--- many held_dead(after int, most int) -> held; scans
select pos, consumer, source, part, id, subject, type, event, attempts, next_at, dead_at, error, held_at from event_held
where dead_at is not null and pos > :after order by pos limit :most

--- many held_dead_of(id uuid) -> held; scans
select pos, consumer, source, part, id, subject, type, event, attempts, next_at, dead_at, error, held_at from event_held
where dead_at is not null and id = :id order by pos

--- exec held_revive(pos int, now time)
update event_held set dead_at = null, attempts = 0, next_at = :now where pos = :pos and dead_at is not null

--- exec held_dead_purge(before time, most int)
delete from event_held where pos in (
	select pos from event_held where dead_at < :before order by dead_at limit :most)

--- one held_counts() -> (alive int, dead int); scans
select coalesce(sum(case when dead_at is null then 1 else 0 end), 0),
	coalesce(sum(case when dead_at is null then 0 else 1 end), 0) from event_held
