-- Jobs: see job.c.

--- row job: id uuid, kind text, unique_key text?, state text, priority int, data json, traceparent text?, run_at time, attempts int, most_attempts int, owner text?, fence int, leased_until time?, cancel_asked bool, progress_done int, progress_total int, progress_text text, error text?, created_at time, started_at time?, ended_at time?

--- exec job_add(id uuid, kind text, unique_key text?, state text, priority int, data json, traceparent text?, run_at time, most_attempts int, now time)
insert into jobs (id, kind, unique_key, state, priority, data, traceparent, run_at, attempts, most_attempts,
	fence, cancel_asked, progress_done, progress_total, progress_text, created_at)
values (:id, :kind, :unique_key, :state, :priority, :data, :traceparent, :run_at, 0, :most_attempts,
	0, false, 0, 0, '', :now)
on conflict do nothing

--- one job_of_key(kind text, unique_key text) -> (id uuid)
select id from jobs where kind = :kind and unique_key = :unique_key and state in ('scheduled', 'ready', 'running')

--- one job_by_id(id uuid) -> job
select id, kind, unique_key, state, priority, data, traceparent, run_at, attempts, most_attempts, owner, fence,
	leased_until, cancel_asked, progress_done, progress_total, progress_text, error, created_at, started_at, ended_at
from jobs where id = :id

-- Pages of a list, newest first; an empty kind or state is any.
--- many jobs_page(kind text, state text, before uuid, most int) -> job; scans
select id, kind, unique_key, state, priority, data, traceparent, run_at, attempts, most_attempts, owner, fence,
	leased_until, cancel_asked, progress_done, progress_total, progress_text, error, created_at, started_at, ended_at
from jobs where id < :before and (kind = :kind or :kind = '') and (state = :state or :state = '')
order by id desc limit :most

-- Is there anything to do, and when is there?
-- (Each looks at the first row of a partial index.)
--- one jobs_due(now time) -> (ready bool, scheduled bool, lost bool); scans
select exists (select 1 from jobs where state = 'ready'),
	exists (select 1 from jobs where state = 'scheduled' and run_at <= :now),
	exists (select 1 from jobs where state = 'running' and leased_until < :now)

--- one jobs_next_time() -> (run_at time); scans
select run_at from jobs where state = 'scheduled' order by run_at limit 1

--- exec jobs_promote(now time)
update jobs set state = 'ready' where state = 'scheduled' and run_at <= :now

--- exec jobs_lost_fail(now time)
update jobs set state = 'failed', ended_at = :now, leased_until = null,
	error = 'job.lost: the process that did it is gone, and it has had all its attempts'
where state = 'running' and leased_until < :now and (attempts >= most_attempts and not cancel_asked)

--- exec jobs_lost_cancel(now time)
update jobs set state = 'cancelled', ended_at = :now, leased_until = null
where state = 'running' and leased_until < :now and cancel_asked

--- exec jobs_lost_again(now time)
update jobs set state = 'ready', leased_until = null, error = 'job.lost: the process that did it is gone'
where state = 'running' and leased_until < :now

--- one jobs_running_of(kind text) -> (count int); scans
select count(*) from jobs where kind = :kind and leased_until is not null

--- many jobs_claim(kind text, owner text, now time, until time, most int) -> job
--- sqlite
update jobs set state = 'running', attempts = attempts + 1, fence = fence + 1, owner = :owner,
	leased_until = :until, started_at = :now, ended_at = null, progress_done = 0, progress_total = 0, progress_text = ''
where id in (select id from jobs where kind = :kind and state = 'ready' order by priority desc, run_at, id limit :most)
returning id, kind, unique_key, state, priority, data, traceparent, run_at, attempts, most_attempts, owner, fence,
	leased_until, cancel_asked, progress_done, progress_total, progress_text, error, created_at, started_at, ended_at
--- postgres
with due as materialized (
	select id from jobs where kind = :kind and state = 'ready'
	order by priority desc, run_at, id limit :most for update skip locked)
update jobs set state = 'running', attempts = attempts + 1, fence = fence + 1, owner = :owner,
	leased_until = :until, started_at = :now, ended_at = null, progress_done = 0, progress_total = 0, progress_text = ''
from due where jobs.id = due.id
returning jobs.id, kind, unique_key, state, priority, data, traceparent, run_at, attempts, most_attempts, owner, fence,
	leased_until, cancel_asked, progress_done, progress_total, progress_text, error, created_at, started_at, ended_at

-- Of a running one, while it is still this runner's.

--- one job_beat(id uuid, fence int, until time) -> (cancel_asked bool)
update jobs set leased_until = :until where id = :id and fence = :fence and state = 'running'
returning cancel_asked

--- one job_progress(id uuid, fence int, until time, done int, total int, text text) -> (cancel_asked bool)
update jobs set leased_until = :until, progress_done = :done, progress_total = :total, progress_text = :text
where id = :id and fence = :fence and state = 'running'
returning cancel_asked

--- exec job_end(id uuid, fence int, state text, error text?, now time)
update jobs set state = :state, error = :error, ended_at = :now, leased_until = null
where id = :id and fence = :fence and state = 'running'

--- exec job_again(id uuid, fence int, run_at time, error text)
update jobs set state = 'scheduled', run_at = :run_at, error = :error, leased_until = null
where id = :id and fence = :fence and state = 'running'

-- As if it had not been begun.
--- exec job_give_back(id uuid, fence int)
update jobs set state = 'ready', attempts = attempts - 1, leased_until = null
where id = :id and fence = :fence and state = 'running'

-- What people do.

--- exec job_cancel_waiting(id uuid, now time)
update jobs set state = 'cancelled', ended_at = :now where id = :id and state in ('scheduled', 'ready')

--- exec job_cancel_running(id uuid)
update jobs set cancel_asked = true where id = :id and state = 'running'

--- exec job_retry(id uuid, now time)
update jobs set state = 'ready', attempts = 0, run_at = :now, ended_at = null, cancel_asked = false
where id = :id and state in ('failed', 'cancelled')

-- (PostgreSQL may read the index of those that are scheduled, where they are few.)
--- exec job_hurry(id uuid, now time); scans
update jobs set state = 'ready', run_at = :now where id = :id and state = 'scheduled'

--- exec jobs_purge(before time, most int)
delete from jobs where id in (select id from jobs where ended_at < :before order by ended_at limit :most)

--- many jobs_counts() -> (kind text, state text, count int, oldest time); scans
select kind, state, count(*), min(run_at) from jobs group by kind, state

-- Schedules.

--- exec schedule_set(name text, kind text, cron text, data json, next_at time)
insert into job_schedules (name, kind, cron, data, next_at) values (:name, :kind, :cron, :data, :next_at)
on conflict (name) do update set kind = excluded.kind, data = excluded.data, cron = excluded.cron,
	next_at = case when job_schedules.cron = excluded.cron then job_schedules.next_at else excluded.next_at end

--- one schedule_get(name text) -> (next_at time)
select next_at from job_schedules where name = :name

--- exec schedule_advance(name text, due_at time, next_at time, now time)
update job_schedules set next_at = :next_at, last_at = :now where name = :name and next_at = :due_at

--- many schedules_all() -> (name text, kind text, cron text, next_at time, last_at time?); scans
select name, kind, cron, next_at, last_at from job_schedules order by name
