-- Writes that both sides of a route are to have: see dual_book.c.

--- row write: seq int, id uuid, subject text, route text, write_key text, state text, target text, method text, path bytes, authority text, fields bytes, body bytes, idempotency_key text, repeats bool, fence int, tries int, fails int, retry_at time, made_at time, status int, answer bytes, reason text, said text

-- The intent. Nothing comes of it while another of its key is being done (the gate), or while one of its key has not reached
-- the side that this one is to be asked of first: that is the one that is not `target`.
-- (behind: others of its key wait for the same side.)
--- one write_admit(id uuid, subject text, route text, write_key text, gate text?, target text, method text, path bytes, authority text, fields bytes, body bytes, idempotency_key text, repeats bool, owner uuid, now time, nothing bytes) -> (seq int, behind bool)
insert into shift_writes (id, subject, route, write_key, gate, turn, state, target, method, path, authority, fields, body,
	idempotency_key, repeats, owner, fence, tries, fails, retry_at, made_at, status, answer, reason, said)
select :id, :subject, :route, :write_key, :gate, 0, 'open', :target, :method, :path, :authority, :fields, :body,
	:idempotency_key, :repeats, :owner, 0, 0, 0, :now, :now, 0, :nothing, '', ''
where not exists (select 1 from shift_writes w where w.subject = :subject and w.write_key = :write_key
	and w.target <> :target and w.state in ('open', 'unknown', 'due', 'dead'))
on conflict do nothing
returning seq, exists (select 1 from shift_writes w where w.subject = :subject and w.write_key = :write_key
	and w.target = :target and w.state in ('open', 'unknown', 'due', 'dead') and w.id <> :id) as behind

-- What is in a write's way: one that is being done; of those that its side lacks, the ones that come by themselves or with help, the
-- ones that need it, and of these the ones that nobody knows of.
--- one write_in_way(subject text, write_key text, side text) -> (gated int, coming int, stuck int, lost int)
select coalesce(sum(case when state = 'open' and gate is not null then 1 else 0 end), 0),
	coalesce(sum(case when target = :side and state in ('open', 'unknown', 'due') then 1 else 0 end), 0),
	coalesce(sum(case when target = :side and (state in ('dead', 'unknown') or (state = 'due' and tries > 0)) then 1 else 0 end), 0),
	coalesce(sum(case when target = :side and (state = 'unknown' or (state = 'dead' and reason = 'unknown')) then 1 else 0 end), 0)
from shift_writes where subject = :subject and write_key = :write_key

-- Their users were told of no success, and have come back to the side that may lack them: a person may look at them.
--- exec write_set_aside(subject text, write_key text, side text)
update shift_writes set state = 'skipped', gate = null, owner = null, fence = fence + 1, reason = 'unknown'
where subject = :subject and write_key = :write_key and target = :side
	and (state = 'unknown' or (state = 'dead' and reason = 'unknown'))

-- The outcome, from whoever asked the first side. Late news is news: it may have been taken for unknown meanwhile.

--- exec write_taken(id uuid, target text, status int, answer bytes, now time)
update shift_writes set state = 'due', gate = null, owner = null, fence = fence + 1, target = :target, status = :status,
	turn = case when turn > 0 then turn else (select coalesce(max(o.turn), 0) + 1 from shift_writes o
		where o.subject = shift_writes.subject and o.write_key = shift_writes.write_key) end,
	answer = :answer, tries = 0, fails = 0, retry_at = :now, reason = '', said = ''
where id = :id and (state in ('open', 'unknown') or (state = 'dead' and reason = 'unknown'))

--- exec write_refused(id uuid)
delete from shift_writes
where id = :id and (state in ('open', 'unknown') or (state = 'dead' and reason = 'unknown'))

-- (PostgreSQL may read the index of those that are open, which are few.)
--- exec write_lost(id uuid, target text, now time, said text); scans
update shift_writes set state = case when repeats then 'unknown' else 'dead' end, gate = case when repeats then gate end,
	turn = case when repeats then 0 else (select coalesce(max(o.turn), 0) + 1 from shift_writes o
		where o.subject = shift_writes.subject and o.write_key = shift_writes.write_key) end,
	owner = null, target = :target, reason = 'unknown', said = :said, retry_at = :now
where id = :id and state = 'open'

-- Those whose process is gone; `owner` is not.
--- exec write_orphans(now time, owner uuid, said text); scans
update shift_writes set state = case when repeats then 'unknown' else 'dead' end, gate = case when repeats then gate end,
	turn = case when repeats then 0 else (select coalesce(max(o.turn), 0) + 1 from shift_writes o
		where o.subject = shift_writes.subject and o.write_key = shift_writes.write_key) end,
	owner = null, reason = 'unknown', said = :said, retry_at = :now
where state = 'open' and owner <> :owner
	and not exists (select 1 from shift_writers g where g.owner = shift_writes.owner and g.until > :now)

-- The first of each key that the other side lacks, for a process that is alive; of one that is gone anybody may take them.
--- many write_claim(subject text, owner uuid, now time, far time, most int) -> write; scans
--- sqlite
update shift_writes set owner = :owner, fence = fence + 1
where seq in (select w.seq from shift_writes w
	where w.subject = :subject and w.state in ('due', 'unknown') and (w.retry_at <= :now or w.retry_at > :far)
	and (w.owner is null or not exists (select 1 from shift_writers g where g.owner = w.owner and g.until > :now))
	and (w.state = 'unknown' or not exists (select 1 from shift_writes e where e.subject = w.subject
		and e.write_key = w.write_key and (e.turn, e.seq) < (w.turn, w.seq) and e.state in ('due', 'dead')))
	order by w.seq limit :most)
returning seq, id, subject, route, write_key, state, target, method, path, authority, fields, body, idempotency_key, repeats,
	fence, tries, fails, retry_at, made_at, status, answer, reason, said
--- postgres
with next as materialized (select w.seq from shift_writes w
	where w.subject = :subject and w.state in ('due', 'unknown') and (w.retry_at <= :now or w.retry_at > :far)
	and (w.owner is null or not exists (select 1 from shift_writers g where g.owner = w.owner and g.until > :now))
	and (w.state = 'unknown' or not exists (select 1 from shift_writes e where e.subject = w.subject
		and e.write_key = w.write_key and (e.turn, e.seq) < (w.turn, w.seq) and e.state in ('due', 'dead')))
	order by w.seq limit :most for update skip locked)
update shift_writes set owner = :owner, fence = fence + 1 from next where shift_writes.seq = next.seq
returning shift_writes.seq, id, subject, route, write_key, state, target, method, path, authority, fields, body,
	idempotency_key, repeats, fence, tries, fails, retry_at, made_at, status, answer, reason, said

-- (Claims whose answer was lost are found among these.)
--- many writes_claimed(owner uuid) -> (id uuid, fence int); scans
select id, fence from shift_writes where owner = :owner and state in ('due', 'unknown')

--- exec write_unclaim(id uuid, fence int, owner uuid)
update shift_writes set owner = null where id = :id and fence = :fence and owner = :owner and state in ('due', 'unknown')

-- Of a claimed one, while it is still the claimer's.

--- exec write_end(id uuid, fence int)
delete from shift_writes where id = :id and fence = :fence and state in ('due', 'unknown')

--- exec write_differs(id uuid, fence int, said text)
update shift_writes set state = 'differs', owner = null, said = :said
where id = :id and fence = :fence and state = 'due'

--- exec write_again(id uuid, fence int, tries int, fails int, retry_at time, said text)
update shift_writes set owner = null, tries = :tries, fails = :fails, retry_at = :retry_at, said = :said
where id = :id and fence = :fence and state in ('due', 'unknown')

--- exec write_dies(id uuid, fence int, tries int, fails int, reason text, said text)
update shift_writes set state = 'dead', gate = null, owner = null, tries = :tries, fails = :fails, reason = :reason, said = :said,
	turn = case when turn > 0 then turn else (select coalesce(max(o.turn), 0) + 1 from shift_writes o
		where o.subject = shift_writes.subject and o.write_key = shift_writes.write_key) end
where id = :id and fence = :fence and state in ('due', 'unknown')

--- exec write_asked(id uuid, fence int, status int, answer bytes, now time)
update shift_writes set state = 'due', gate = null, owner = null, fence = fence + 1, status = :status, answer = :answer,
	turn = (select coalesce(max(o.turn), 0) + 1 from shift_writes o
		where o.subject = shift_writes.subject and o.write_key = shift_writes.write_key),
	tries = 0, fails = 0, retry_at = :now, reason = '', said = ''
where id = :id and fence = :fence and state = 'unknown'

-- Only so many that differed are kept.
--- exec write_prune(subject text, keep int)
delete from shift_writes where seq in (select seq from shift_writes where subject = :subject and state = 'differs'
	order by seq desc limit 1000 offset :keep)

-- What people look at and do.

--- many write_counts() -> (subject text, state text, target text, count int, oldest time); scans
select subject, state, target, count(*), min(made_at) from shift_writes group by subject, state, target

--- many write_page(subject text, state text, after int, most int) -> write; scans
select seq, id, subject, route, write_key, state, target, method, path, authority, fields, body, idempotency_key, repeats,
	fence, tries, fails, retry_at, made_at, status, answer, reason, said
from shift_writes where subject = :subject and seq > :after and (state = :state or :state = '')
order by seq limit :most

--- one write_by_seq(subject text, seq int) -> write
select seq, id, subject, route, write_key, state, target, method, path, authority, fields, body, idempotency_key, repeats,
	fence, tries, fails, retry_at, made_at, status, answer, reason, said
from shift_writes where seq = :seq and subject = :subject

--- exec write_retry(subject text, seq int, now time)
update shift_writes set state = 'due', tries = 0, fails = 0, retry_at = :now, reason = '', said = '', owner = null, fence = fence + 1
where seq = :seq and subject = :subject and state in ('dead', 'skipped')

--- exec write_hurry(subject text, seq int, now time)
update shift_writes set retry_at = :now, fails = 0 where seq = :seq and subject = :subject and state in ('due', 'unknown')

--- exec write_retry_all(subject text, now time); scans
update shift_writes set state = 'due', tries = 0, fails = 0, retry_at = :now, reason = '', said = '', owner = null, fence = fence + 1
where subject = :subject and state = 'dead' and reason <> 'unknown'

--- exec write_skip(subject text, seq int)
update shift_writes set state = 'skipped' where seq = :seq and subject = :subject and state = 'dead'

--- exec write_drop(subject text, seq int)
delete from shift_writes where seq = :seq and subject = :subject and state in ('due', 'dead', 'skipped', 'differs')

-- Processes.

--- exec writer_beat(owner uuid, gateway text, place text, pid int, until time)
insert into shift_writers (owner, gateway, place, pid, until) values (:owner, :gateway, :place, :pid, :until)
on conflict (owner) do update set until = excluded.until

--- many writers_all() -> (owner uuid, gateway text, place text, pid int, until time); scans
select owner, gateway, place, pid, until from shift_writers

--- exec writer_end(owner uuid)
delete from shift_writers where owner = :owner

--- exec writers_purge(before time); scans
delete from shift_writers where until < :before

--- exec writer_gives_back(owner uuid); scans
update shift_writes set owner = null where owner = :owner and state in ('due', 'unknown')
