-- Sagas: see saga_run.c.

--- row saga: id uuid, type text, version int, unique_key text?, state text, stuck_in text?, step int, epoch int, turn int, asked text?, data json, traceparent text, reason text?, message text?, error text?, deadline time?, next_at time?, created_at time, changed_at time, ended_at time?

--- row saga_step: saga uuid, n int, direction text, name text, kind text, idem_key text, state text, attempts int, failures int, result json?, error text?, begun_at time?, ended_at time?

--- exec saga_add(id uuid, type text, version int, unique_key text?, data json, traceparent text, deadline time?, now time)
insert into sagas (id, type, version, unique_key, state, step, epoch, turn, data, traceparent, deadline, created_at, changed_at)
values (:id, :type, :version, :unique_key, 'running', 0, 0, 1, :data, :traceparent, :deadline, :now, :now)
on conflict do nothing

--- one saga_of_key(type text, unique_key text) -> (id uuid)
select id from sagas where type = :type and unique_key = :unique_key and state <> 'compensated'

--- one saga_by_id(id uuid) -> saga
select id, type, version, unique_key, state, stuck_in, step, epoch, turn, asked, data, traceparent, reason, message, error, deadline,
	next_at, created_at, changed_at, ended_at
from sagas where id = :id

-- Into one's hands: only who was given this turn, and nobody that had it before can write any more.
--- one saga_take(id uuid, turn int) -> saga
update sagas set epoch = epoch + 1, next_at = null
where id = :id and turn = :turn and state not in ('done', 'compensated') and (state <> 'stuck' or asked is not null)
returning id, type, version, unique_key, state, stuck_in, step, epoch, turn, asked, data, traceparent, reason, message, error, deadline,
	next_at, created_at, changed_at, ended_at

--- many saga_steps_of(saga uuid) -> saga_step
select saga, n, direction, name, kind, idem_key, state, attempts, failures, result, error, begun_at, ended_at
from saga_steps where saga = :saga order by begun_at is null, begun_at, n

--- exec saga_move(id uuid, epoch int, state text, stuck_in text?, step int, turn int, reason text?, message text?, error text?, next_at time?, now time, ended_at time?)
update sagas set state = :state, stuck_in = :stuck_in, step = :step, turn = :turn, asked = null, reason = :reason, message = :message, error = :error,
	next_at = :next_at, changed_at = :now, ended_at = :ended_at
where id = :id and epoch = :epoch

--- exec saga_step_begin(saga uuid, n int, direction text, name text, kind text, idem_key text, now time)
insert into saga_steps (saga, n, direction, name, kind, idem_key, state, attempts, failures, begun_at)
values (:saga, :n, :direction, :name, :kind, :idem_key, 'running', 1, 0, :now)
on conflict (saga, n, direction) do update set state = 'running', attempts = saga_steps.attempts + 1,
	begun_at = coalesce(saga_steps.begun_at, :now), ended_at = null

--- exec saga_step_register(saga uuid, n int, name text, kind text, idem_key text)
insert into saga_steps (saga, n, direction, name, kind, idem_key, state, attempts, failures)
values (:saga, :n, 'undo', :name, :kind, :idem_key, 'registered', 0, 0)
on conflict do nothing

--- exec saga_step_end(saga uuid, n int, direction text, state text, failed int, result json?, error text?, ended_at time?)
update saga_steps set state = :state, failures = failures + :failed, result = :result, error = :error, ended_at = :ended_at
where saga = :saga and n = :n and direction = :direction

-- It is undone: what was under way is nobody's any more.
--- exec saga_give_up(saga uuid, now time)
update saga_steps set state = 'given_up', ended_at = :now where saga = :saga and direction = 'forward' and state = 'running'

-- What people do. (A job of this turn is put with it.)

--- one saga_ask(id uuid, asked text) -> (turn int)
update sagas set turn = turn + 1, epoch = epoch + 1, asked = :asked, next_at = null
where id = :id and state not in ('done', 'compensated')
returning turn

--- exec saga_forgive(saga uuid)
update saga_steps set failures = 0 where saga = :saga and state in ('running', 'given_up')

--- one saga_pivot_of(saga uuid) -> (tried bool, undo bool)
select exists (select 1 from saga_steps where saga = :saga and kind = 'pivot' and direction = 'forward'
		and state in ('running', 'done', 'given_up')),
	exists (select 1 from saga_steps where saga = :saga and kind = 'pivot' and direction = 'undo')

--- many sagas_page(type text, state text, before uuid, most int) -> saga; scans
select id, type, version, unique_key, state, stuck_in, step, epoch, turn, asked, data, traceparent, reason, message, error, deadline,
	next_at, created_at, changed_at, ended_at
from sagas where id < :before and (type = :type or :type = '') and (state = :state or :state = '')
order by id desc limit :most

--- exec sagas_purge(before time, most int)
delete from sagas where id in (select id from sagas where ended_at < :before order by ended_at limit :most)

--- many sagas_counts() -> (type text, state text, count int); scans
select type, state, count(*) from sagas where ended_at is null group by type, state

-- What must not be, for those who check.

--- one sagas_all() -> (count int); scans
select count(*) from sagas

-- Nobody carries it on: there is no job of its turn.
--- many sagas_forgotten() -> (id uuid, state text); scans
--- sqlite
select id, state from sagas where ended_at is null and (state <> 'stuck' or asked is not null) and not exists (
	select 1 from jobs where kind = 'saga' and jobs.state in ('scheduled', 'ready', 'running') and unique_key =
		lower(substr(hex(sagas.id), 1, 8) || '-' || substr(hex(sagas.id), 9, 4) || '-' || substr(hex(sagas.id), 13, 4) || '-' ||
		substr(hex(sagas.id), 17, 4) || '-' || substr(hex(sagas.id), 21)) || '/' || turn)
--- postgres
select id, state from sagas where ended_at is null and (state <> 'stuck' or asked is not null) and not exists (
	select 1 from jobs where kind = 'saga' and jobs.state in ('scheduled', 'ready', 'running') and
		unique_key = sagas.id::text || '/' || turn)

-- It has ended, and its steps say otherwise: one is under way, or done and not undone.
--- many sagas_unfinished() -> (id uuid, state text, step text); scans
select s.id, s.state, t.name from sagas s join saga_steps t on t.saga = s.id
where s.ended_at is not null and (t.state = 'running' or (s.state = 'done' and t.direction = 'forward' and t.state <> 'done')
	or (s.state = 'compensated' and t.direction = 'forward' and t.state in ('done', 'given_up') and exists (
		select 1 from saga_steps u where u.saga = s.id and u.n = t.n and u.direction = 'undo' and u.state <> 'done')))
