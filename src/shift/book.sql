-- The book of moves: see book.c.

--- row state: subject text, revision int, state json, changed_at time
--- row entry: subject text, revision int, done_at time, who text, verb text, from_phase text, to_phase text, share_ppm int, why text, evidence json
--- row seen: subject text, gateway text, attempt int, step int, seen_at time, evidence json

--- row users: subject text, attempt int, gateway text, seq int, step int, users text

--- row difference: subject text, gateway text, shadows int, kept_at time, differences json
--- row accepted: path text, kind text, who text, accepted_at time

--- many book_states() -> state; scans
select subject, revision, state, changed_at from shift_states

--- one book_state(subject text) -> state
select subject, revision, state, changed_at from shift_states where subject = :subject

-- (One row, where it is that revision.)
--- exec book_change(subject text, before int, revision int, state json, now time)
update shift_states set revision = :revision, state = :state, changed_at = :now
where subject = :subject and revision = :before

--- exec book_begin(state)
insert into shift_states (subject, revision, state, changed_at) values (:subject, :revision, :state, :changed_at)
on conflict do nothing

-- (A state that was lost without its journal has its entry there already.)
--- exec book_enter(entry)
insert into shift_journal (subject, revision, done_at, who, verb, from_phase, to_phase, share_ppm, why, evidence)
values (:subject, :revision, :done_at, :who, :verb, :from_phase, :to_phase, :share_ppm, :why, :evidence)
on conflict do nothing

--- many book_history(subject text, before int, most int) -> entry
select subject, revision, done_at, who, verb, from_phase, to_phase, share_ppm, why, evidence
from shift_journal where subject = :subject and revision < :before order by revision desc limit :most

--- exec book_see(seen)
insert into shift_seen (subject, gateway, attempt, step, seen_at, evidence)
values (:subject, :gateway, :attempt, :step, :seen_at, :evidence)
on conflict (subject, gateway) do update set attempt = :attempt, step = :step, seen_at = :seen_at, evidence = :evidence

--- many book_seen(subject text, attempt int) -> seen
select subject, gateway, attempt, step, seen_at, evidence from shift_seen
where subject = :subject and attempt = :attempt

-- (The row of a run that has ended, if it is still the one that was read.)
--- exec book_fold(subject text, gateway text, attempt int, seen_at time, evidence json)
update shift_seen set evidence = :evidence
where subject = :subject and gateway = :gateway and attempt = :attempt and seen_at = :seen_at

--- exec book_users_add(users)
insert into shift_users (subject, attempt, gateway, seq, step, users)
values (:subject, :attempt, :gateway, :seq, :step, :users) on conflict do nothing

--- many book_users(subject text, attempt int, gateway text, after int, most int) -> users
select subject, attempt, gateway, seq, step, users from shift_users
where subject = :subject and attempt = :attempt and gateway = :gateway and seq > :after order by seq limit :most

--- exec book_forget_seen(subject text, attempt int)
delete from shift_seen where subject = :subject and attempt < :attempt

--- exec book_forget_users(subject text, attempt int)
delete from shift_users where subject = :subject and attempt < :attempt

--- exec book_key_put(name text, secret text)
update shift_keys set secret = :secret where name = :name

--- exec book_key_add(name text, secret text)
insert into shift_keys (name, secret) values (:name, :secret) on conflict do nothing

--- one book_key(name text) -> (secret text)
select secret from shift_keys where name = :name

--- exec book_keep_differences(difference)
insert into shift_differences (subject, gateway, shadows, kept_at, differences)
values (:subject, :gateway, :shadows, :kept_at, :differences)
on conflict (subject, gateway) do update set shadows = :shadows, kept_at = :kept_at, differences = :differences

--- many book_differences(subject text, shadows int) -> difference
select subject, gateway, shadows, kept_at, differences from shift_differences
where subject = :subject and shadows = :shadows

--- exec book_accept(subject text, path text, kind text, who text, accepted_at time)
insert into shift_accepted (subject, path, kind, who, accepted_at) values (:subject, :path, :kind, :who, :accepted_at)
on conflict (subject, path, kind) do update set who = :who, accepted_at = :accepted_at

--- many book_accepted(subject text) -> accepted
select path, kind, who, accepted_at from shift_accepted where subject = :subject order by accepted_at
